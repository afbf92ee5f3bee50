// SPDX-License-Identifier: MIT
//
// swapmq plugin list|show|check.
#include <unistd.h>

#include <string>
#include <vector>

#include "commands/commands.h"
#include "contract_kit.h"
#include "json_output.h"
#include "output.h"
#include "program.h"
#include "table.h"

namespace swapmq::host {
namespace {

void add_description(JsonWriter& json, const PluginDescription& plugin) {
  json.member("name", plugin.name)
      .member("version", plugin.version)
      .member("license", plugin.license)
      .member("summary", plugin.summary)
      .member("path", plugin.path)
      .member("abi", plugin.abi_version);
  json.key("capabilities").begin_object();
  for (const CapabilityValue& value : plugin.capabilities) json.member(value.name, value.grade);
  json.end_object().key("limits").begin_object();
  for (const LimitValue& limit : plugin.limits) json.member(limit.name, limit.value);
  json.end_object().key("extensions").begin_array();
  for (const std::string& name : plugin.extensions) json.string(name);
  json.end_array();
  // The loader has parsed the schema: it is JSON, and becomes part of ours.
  json.key("options_schema");
  if (plugin.options_schema.empty()) {
    json.begin_object().end_object();
  } else {
    json.json(plugin.options_schema);
  }
}

std::string no_plugins(const std::vector<std::string>& folders) {
  std::string text = "swapmq: no plugins; looked in";
  for (const std::string& folder : plugin_search_path(folders)) text += " " + folder;
  return text + "\n";
}

int list(const CommonOptions& common, const std::vector<std::string>& folders) {
  const std::vector<PluginFound> found = list_plugins(folders);
  JsonWriter json;
  json.begin_object().key("plugins").begin_array();
  std::vector<std::vector<std::string>> rows{{"NAME", "VERSION", "ABI", "PATH"}};
  std::string broken;
  for (const PluginFound& plugin : found) {
    json.begin_object();
    if (plugin.description) {
      const PluginDescription& about = *plugin.description;
      rows.push_back({about.name, about.version, about.abi_version, plugin.path});
      add_description(json, about);
    } else {
      const std::string why = plugin.description.error().message();
      broken += "swapmq: " + plugin.name + " cannot be used: " + why + "\n";
      json.member("name", plugin.name).member("path", plugin.path).member("error", why);
    }
    json.end_object();
  }
  json.end_array().end_object();
  bool printed = true;
  if (common.json) {
    printed = print_out(json.take());
  } else {
    if (rows.size() > 1) printed = print_out(format_table_with_heading(rows));
    print_err(found.empty() ? no_plugins(folders) : broken);
  }
  if (rows.size() == 1) return exit_plugin; // none that can be used
  return printed ? exit_done : exit_failed;
}

std::string as_text(const PluginDescription& plugin) {
  std::vector<std::vector<std::string>> about{
      {"name", plugin.name},       {"version", plugin.version}, {"license", plugin.license},
      {"summary", plugin.summary}, {"path", plugin.path},       {"ABI", plugin.abi_version}};
  for (const std::string& name : plugin.extensions) about.push_back({"extension", name});
  std::string text = format_table(about);
  std::vector<std::vector<std::string>> rows;
  for (const CapabilityValue& value : plugin.capabilities) {
    rows.push_back({"  " + value.name, value.grade});
  }
  text += "\ncapabilities\n" + format_table(rows);
  rows.clear();
  for (const LimitValue& limit : plugin.limits) {
    rows.push_back({"  " + limit.name, limit.value == 0 ? "none" : std::to_string(limit.value)});
  }
  text += "\nlimits\n" + format_table(rows);
  return text + "\noptions (JSON Schema)\n" + plugin.options_schema + "\n";
}

int show(const CommonOptions& common, const PluginCommand& command,
         const std::vector<std::string>& folders) {
  const Result<PluginDescription> plugin = describe_plugin(command.plugin, folders);
  if (!plugin) {
    (void)fail(plugin.error());
    return exit_plugin;
  }
  if (!common.json) return print_out(as_text(*plugin)) ? exit_done : exit_failed;
  JsonWriter json;
  json.begin_object();
  add_description(json, *plugin);
  json.end_object();
  return print_out(json.take()) ? exit_done : exit_failed;
}

/// Where the plugin of a name lies, found without loading it: what it does when loaded is for the
/// kit's process to suffer.
std::string path_of(const std::string& name_or_path, const std::vector<std::string>& folders) {
  if (name_or_path.find('/') != std::string::npos) return name_or_path;
  for (const std::string& folder : plugin_search_path(folders)) {
    std::string path = folder;
    path.append("/").append(name_or_path).append(".so");
    if (::access(path.c_str(), F_OK) == 0) return path;
  }
  return {};
}

int check(const CommonOptions& common, const PluginCommand& command,
          const std::vector<std::string>& folders) {
  if (command.list_tests) return list_contract_tests(command.only, common.json);
  const std::string path = path_of(command.plugin, folders);
  if (path.empty()) {
    std::string text = "swapmq: there is no plugin \"" + printable(command.plugin) + "\" in";
    for (const std::string& folder : plugin_search_path(folders)) text += " " + folder;
    print_err(text + "\n");
    return exit_plugin;
  }
  return run_contract_kit({path, command.options, command.only, command.broker_control,
                           command.junit, common.json, common.quiet});
}

} // namespace

int run(const CommonOptions& common, const PluginCommand& command) {
  const Result<std::vector<std::string>> folders =
      folders_searched_first(common, command.plugin_path);
  if (!folders) return fail_to_open(common, folders.error());
  using Action = PluginCommand::Action;
  switch (command.action) {
    case Action::list:
      return list(common, *folders);
    case Action::show:
      return show(common, command, *folders);
    case Action::check:
      break;
  }
  return check(common, command, *folders);
}

} // namespace swapmq::host
