// SPDX-License-Identifier: MIT
//
// What the definitions of commands are made of. Included where CLI11 is: by command_tree.cpp and
// host_commands_line.cpp, which define them, and by what reads the definitions: command_line.cpp,
// completion.cpp and manual.cpp.
#pragma once

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <charconv>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "command_line.h"
#include "help_formatter.h"
#include "quantity.h"

namespace swapmq::host {

using CLI::App;

template <class Value>
using Parser = std::function<std::optional<Value>(std::string_view)>;

/// An option whose text becomes a value by our own rules; `expected` says them in an error.
template <class Value>
CLI::Option* add_parsed(App& app, const std::string& names, Value& target,
                        const Parser<Value>& parse, const std::string& expected,
                        const std::string& shown, const std::string& description) {
  const auto take = [names, &target, parse, expected](const std::string& text) {
    const std::optional<Value> value = parse(text);
    if (!value) {
      const std::string name = names.substr(names.find("--"));
      throw CLI::ValidationError(name + ": \"" + text + "\" is not " + expected);
    }
    target = *value;
  };
  return app.add_option_function<std::string>(names, take, description)->option_text(shown);
}

inline CLI::Option* add_duration(App& app, const std::string& names, milliseconds& target,
                                 const std::string& description) {
  return add_parsed<milliseconds>(app, names, target, parse_duration,
                                  "a duration such as 500ms, 2s or 1m", "DURATION", description);
}

/// A wait: zero would mean nothing useful.
inline CLI::Option* add_wait(App& app, const std::string& names, milliseconds& target,
                             const std::string& description) {
  const auto parse = [](std::string_view text) {
    const auto wait = parse_duration(text);
    return wait == milliseconds(0) ? std::nullopt : wait;
  };
  return add_parsed<milliseconds>(app, names, target, parse,
                                  "a duration above zero, such as 500ms, 2s or 1m", "DURATION",
                                  description);
}

template <class Integer>
CLI::Option* add_integer(App& app, const std::string& names, Integer& target, Integer least,
                         Integer most, const std::string& description) {
  const auto parse = [least, most](std::string_view text) -> std::optional<Integer> {
    Integer value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value < least || value > most ? std::nullopt : std::optional<Integer>(value);
  };
  const std::string range =
      most == std::numeric_limits<Integer>::max()
          ? "a number from " + std::to_string(least)
          : "a number from " + std::to_string(least) + " to " + std::to_string(most);
  return add_parsed<Integer>(app, names, target, parse, range, "N", description);
}

inline CLI::Option* add_text(App& app, const std::string& names, std::string& target,
                             const std::string& shown, const std::string& description) {
  return app.add_option(names, target, description)->option_text(shown);
}

/// Everything that CLI11 writes into while it parses.
struct Parts {
  std::vector<std::string> words; ///< the last one comes next
  std::vector<std::string> names; ///< of queues, what followed a "--"
  CommonOptions common;
  PublishCommand publish;
  ConsumeCommand consume;
  QueueCommand queue;
  RedriveCommand redrive;
  PeekCommand peek;
  ConfigCommand config;
  PluginCommand plugin;
  PluginNewCommand plugin_new;
  PingCommand ping;
  RunCommand run;
  ControlCommand control;
  CompletionCommand completion;
  bool cancel = false; ///< of switch
  /// The words that may be given, where there are but a few.
  std::map<const CLI::Option*, std::vector<std::string>> choices;
};

inline void add_override(CommonOptions& common, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw CLI::ValidationError("--set: \"" + text +
                               "\" is not KEY=VALUE, such as message_queue.type=sqlite");
  }
  common.overrides.push_back({text.substr(0, equals), text.substr(equals + 1)});
}

/// A folder for plugins; of the commands that look at them.
inline void add_plugin_path(App& app, std::vector<std::string>& target) {
  app.add_option("--plugin-path", target,
                 "A folder to search first; may be repeated\n(and those of the config, if one is "
                 "named)")
      ->allow_extra_args(false)
      ->option_text("FOLDER");
}

inline void add_common(App& app, Parts& parts) {
  CommonOptions& common = parts.common;
  const char* const group = common_group;
  add_text(app, "-c,--config", common.config, "FILE",
           "The configuration (default: SWAPMQ_CONFIG,\nelse the embedded one)")
      ->group(group);
  const auto set = [&common](const std::vector<std::string>& given) {
    for (const std::string& text : given) add_override(common, text);
  };
  app.add_option_function<std::vector<std::string>>(
         "--set", set,
         "Over what the configuration says, such as\nmessage_queue.type=sqlite; may be repeated")
      ->allow_extra_args(false)
      ->option_text("KEY=VALUE")
      ->group(group);
  const auto set_level = [&common](const std::string& level) {
    common.overrides.push_back({"log.level", level});
  };
  const std::vector<std::string> levels{"trace", "debug", "info", "warning", "error", "off"};
  CLI::Option* level = app.add_option_function<std::string>(
      "--log-level", set_level,
      "trace, debug, info, warning, error or off\n(default: what the config says)");
  level->option_text("LEVEL")->check(CLI::IsMember(levels))->group(group);
  parts.choices[level] = levels;
  app.add_flag("-q,--quiet", common.quiet, "No summary, notes or progress; errors only")
      ->group(group);
  app.add_flag("--json", common.json, "Results as JSON")->group(group);
  app.set_help_flag("-h,--help", "Show this help")->group(group);
}

inline App* add_command(App& parent, Parts& parts, const char* name, const char* description,
                        const char* footer = "") {
  App* app = parent.add_subcommand(name, description);
  add_common(*app, parts);
  app->footer(footer);
  app->group("Commands");
  // One command: a queue that is named like another one is a name to the first.
  app->require_subcommand(0, 1);
  return app;
}

inline void add_timeout(App& app, milliseconds& target, const char* description) {
  add_wait(app, "--timeout", target, std::string(description) + " (default: 30s)");
}

/// Of a command that is a host if somebody asks for that.
inline void add_watch(App& app, bool& target) {
  app.add_flag("--watch", target,
               "Be a host: follow the configuration while\nit changes, and answer to 'swapmq "
               "status',\n'swapmq switch' and so on")
      ->group("Host");
}

/// All of them, into an app without any.
void add_all_commands(CLI::App& root, Parts& parts);
/// run, status, switch, reload, rollback, forget.
void add_host_commands(CLI::App& root, Parts& parts);
/// Whether it is one of those but run.
bool is_control_command(std::string_view name);
/// What is wrong with such a one as a whole, if anything.
std::string finish_control_command(std::string_view name, Parts& parts);

} // namespace swapmq::host
