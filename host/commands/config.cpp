// SPDX-License-Identifier: MIT
//
// swapmq config check: all that is wrong with a configuration.
#include <algorithm>
#include <string>
#include <vector>

#include "commands/commands.h"
#include "config_file.h"
#include "exit_code.h"
#include "json_output.h"
#include "output.h"

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

} // namespace

int run(const CommonOptions& common, const ConfigCheckCommand& command) {
  const std::vector<ConfigError> errors = check_config(command.file);
  const Result<std::string> text = read_config_text(command.file);
  const std::string type = text ? summarize_config(*text).type : std::string();
  const ExitCode code = exit_code_of(errors);
  if (common.json) {
    const bool printed = print_out(as_json(command.file, type, errors));
    return printed || code != exit_done ? code : exit_failed;
  }
  std::string lines;
  for (const ConfigError& error : errors) lines += error.to_string() + "\n";
  print_err(lines);
  if (code != exit_done || common.quiet) return code;
  return print_out(command.file + ": ok (type " + type + ")\n") ? exit_done : exit_failed;
}

} // namespace swapmq::host
