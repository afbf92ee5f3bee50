// SPDX-License-Identifier: MIT
//
// swapmq config check|show|schema|explain.
#include <unistd.h>

#include <algorithm>
#include <string>
#include <vector>

#include "colour.h"
#include "commands/commands.h"
#include "config_keys.h"
#include "exit_code.h"
#include "json_output.h"
#include "output.h"
#include "program.h"
#include "suggestion.h"
#include "table.h"

namespace swapmq::host {
namespace {

ExitCode exit_code_of(const std::vector<ConfigError>& errors) {
  if (errors.empty()) return exit_done;
  const bool plugins_only = std::all_of(errors.begin(), errors.end(), [](const ConfigError& error) {
    return error.code == Errc::plugin;
  });
  return plugins_only ? exit_plugin : exit_config;
}

std::string as_json(const std::string& file, const std::string& type,
                    const std::vector<ConfigError>& errors) {
  JsonWriter json;
  json.begin_object().member("file", file).member("ok", errors.empty());
  if (!type.empty()) json.member("type", type);
  json.key("errors").begin_array();
  for (const ConfigError& error : errors) {
    json.begin_object()
        .member("file", error.file)
        .member("line", std::uint64_t{error.line})
        .member("column", std::uint64_t{error.column})
        .member("pointer", error.pointer)
        .member("message", error.message)
        .member("code", to_string(error.code))
        .end_object();
  }
  return json.end_array().end_object().take();
}

int check(const CommonOptions& common, const ConfigCommand& command) {
  const std::vector<ConfigError> errors = check_config(command.file, common.overrides);
  const Result<ConfigOutline> outline = outline_config(command.file, common.overrides);
  const std::string type = outline ? outline->type : std::string();
  const ExitCode code = exit_code_of(errors);
  if (common.json) {
    const bool done = print_out(as_json(command.file, type, errors));
    return done || code != exit_done ? code : exit_failed;
  }
  std::string lines;
  for (const ConfigError& error : errors) lines += error.to_string() + "\n";
  print_errors(lines);
  if (code != exit_done || common.quiet) return code;
  return printed(print_out(command.file + ": " + toned(STDOUT_FILENO, Tone::good, "ok") +
                           " (type " + type + ")\n"));
}

int show(const CommonOptions& common, const ConfigCommand& command) {
  const Result<std::string> shown = effective_config(command.file, common.overrides);
  if (shown) return printed(print_out(*shown + "\n"));
  print_errors(shown.error().message()); // lines, each with its place
  return exit_code(shown.error().code());
}

void add_key(JsonWriter& json, const ConfigKey& key) {
  json.begin_object()
      .member("key", key.path)
      .member("description", key.description)
      .member("type", key.type)
      .member("required", key.required);
  if (!key.unit.empty()) json.member("unit", key.unit);
  if (!key.default_value.empty()) json.key("default").json(key.default_value);
  if (!key.since.empty()) json.member("since", key.since);
  if (!key.example.empty()) json.key("example").json(key.example);
  json.end_object();
}

std::string as_json(const std::vector<ConfigKey>& keys) {
  JsonWriter json;
  json.begin_object().key("keys").begin_array();
  for (const ConfigKey& key : keys) add_key(json, key);
  return json.end_array().end_object().take();
}

std::string as_text(const ConfigKey& key) {
  std::vector<std::vector<std::string>> rows{{"  type", key.type}};
  const auto add = [&](const char* name, const std::string& value) {
    if (!value.empty()) rows.push_back({std::string("  ") + name, value});
  };
  add("unit", key.unit);
  add("default", key.required ? "none, it is required" : key.default_value);
  add("since", key.since);
  add("example", key.example);
  std::string variable = key.path;
  for (std::size_t at = 0; (at = variable.find('.', at)) != std::string::npos; at += 2) {
    variable.replace(at, 1, "__");
  }
  add("variable", "SWAPMQ_SET__" + variable);
  return key.path + "\n  " + key.description + "\n\n" + format_table(rows);
}

std::string as_table(const std::vector<ConfigKey>& keys) {
  std::vector<std::vector<std::string>> rows{{"KEY", "TYPE", "DEFAULT"}};
  for (const ConfigKey& key : keys) {
    rows.push_back({key.path, key.type, key.required ? "required" : key.default_value});
  }
  return format_table_with_heading(rows);
}

int not_one(const std::vector<ConfigKey>& keys, const std::vector<ConfigKey>& found,
            const std::string& text) {
  std::string message = "swapmq config explain: ";
  if (!found.empty()) {
    message += "several keys end in \"" + printable(text) + "\":";
    for (const ConfigKey& key : found) message += "\n  " + key.path;
  } else {
    message += "there is no key \"" + printable(text) + "\"";
    std::vector<std::string> names;
    for (const ConfigKey& key : keys) {
      names.push_back(key.path);
      names.push_back(key.path.substr(key.path.rfind('.') + 1));
    }
    const std::string_view near = nearest(text, names);
    message += near.empty() ? "; without KEY it lists all"
                            : "; did you mean \"" + std::string(near) + "\"?";
  }
  print_err(message + "\n");
  return exit_usage;
}

int explain(const CommonOptions& common, const ConfigCommand& command,
            const std::vector<PluginDescription>& plugins) {
  const std::vector<ConfigKey> keys = config_keys(plugins);
  if (command.markdown) return printed(print_out(config_reference(keys)));
  if (command.key.empty()) {
    return printed(print_out(common.json ? as_json(keys) : as_table(keys)));
  }
  const std::vector<ConfigKey> found = find_keys(keys, command.key);
  if (found.size() != 1) return not_one(keys, found, command.key);
  if (!common.json) return printed(print_out(as_text(found.front())));
  JsonWriter json;
  add_key(json, found.front());
  return printed(print_out(json.take()));
}

} // namespace

int run(const CommonOptions& common, const ConfigCommand& command) {
  using Action = ConfigCommand::Action;
  if (command.action == Action::check) return check(common, command);
  if (command.action == Action::show) return show(common, command);
  const Result<std::vector<std::string>> folders =
      folders_searched_first(common, command.plugin_path);
  if (!folders) return fail_to_open(common, folders.error());
  const std::vector<PluginDescription> plugins = plugins_found(*folders);
  if (command.action == Action::explain) return explain(common, command, plugins);
  return printed(print_out(whole_config_schema(plugins)));
}

} // namespace swapmq::host
