// SPDX-License-Identifier: MIT
#include "command_line.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <memory>

#include "command_line_parts.h"
#include "exit_code.h"
#include "help_text.h"
#include "manual.h"
#include "suggestion.h"
#include "swapmq/swapmq.hpp"

namespace swapmq::host {
namespace {

using CLI::App;

/// What the shells' scripts call; of no use to people, so that help does not show it.
constexpr std::string_view complete_word = "__complete";
/// What the build calls, with the date, to make the manual page.
constexpr std::string_view manual_word = "__manual";

/// The deepest command that was recognised.
const App& deepest(const App& root) {
  const App* app = &root;
  while (!app->get_subcommands().empty()) app = app->get_subcommands().back();
  return *app;
}

std::string full_name(const App& app) {
  const App* parent = app.get_parent();
  return parent == nullptr ? app.get_name() : full_name(*parent) + " " + app.get_name();
}

Leave usage_error(const App& at, const std::string& message) {
  const std::string name = full_name(at);
  return {exit_usage, "", name + ": " + message + "\nTry '" + name + " --help'.\n"};
}

Leave unexpected_argument(const App& at, const std::string& word) {
  return usage_error(at, "unexpected argument \"" + word + "\"");
}

Leave unknown_word(const App& at, const std::string& word) {
  const bool is_option = word.starts_with("-");
  std::vector<std::string> known;
  if (is_option) {
    for (const CLI::Option* option : at.get_options()) {
      for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
    }
  } else {
    for (const App* command : at.get_subcommands({})) known.push_back(command->get_name());
  }
  const char* const what = is_option       ? "unknown option \""
                           : known.empty() ? "unexpected argument \""
                                           : "unknown command \"";
  std::string message = what + word + "\"";
  const std::string_view near = nearest(word.substr(0, word.find('=')), known);
  if (!near.empty()) {
    message.append("; did you mean \"").append(near).append("\"?");
  } else if (is_option && at.get_allow_extras()) {
    message.append("; a queue's name that begins with - goes after --");
  }
  return usage_error(at, message);
}

/// A mistyped word explains more than the error that followed from it.
Leave explain(const App& root, const CLI::ParseError& error) {
  const App* at = &root;
  while (at != nullptr) {
    const std::vector<std::string> unknown = at->remaining();
    const auto option = std::find_if(unknown.begin(), unknown.end(),
                                     [](const std::string& word) { return word.starts_with("-"); });
    const bool takes_commands = !at->get_subcommands({}).empty();
    if (takes_commands && !unknown.empty()) return unknown_word(*at, unknown.front());
    if (option != unknown.end()) return unknown_word(*at, *option);
    if (!unknown.empty() && !at->get_allow_extras()) return unknown_word(*at, unknown.front());
    at = at->get_subcommands().empty() ? nullptr : at->get_subcommands().back();
  }
  return usage_error(deepest(root), error.what());
}

Leave missing_command(const App& at) {
  std::string known;
  for (const App* command : at.get_subcommands({})) {
    known.append(known.empty() ? "" : ", ").append(command->get_name());
  }
  return usage_error(at, "a command is needed: " + known);
}

/// What is wrong with it as a whole, if anything.
std::string finish_consume(ConsumeCommand& consume, const CommonOptions& common) {
  consume.exits_when_idle = consume.idle_exit > milliseconds(0);
  if (common.json) consume.output = MessageForm::json;
  if (!consume.release) return {};
  // What is looked at stays unsettled, so that the prefetch must hold all of it.
  if (consume.max == 0) consume.max = consume.prefetch;
  if (consume.max > largest_prefetch) {
    return "--max: \"" + std::to_string(consume.max) + "\" is more than the " +
           std::to_string(largest_prefetch) + " messages that --release can hold";
  }
  consume.prefetch = static_cast<std::uint32_t>(consume.max);
  if (!consume.exits_when_idle) {
    consume.exits_when_idle = true;
    consume.idle_exit = milliseconds(1000);
  }
  return {};
}

std::variant<CommandLine, Leave> chosen(const App& root, Parts& parts) {
  const App& at = deepest(root);
  if (!at.get_subcommands({}).empty()) return missing_command(at);
  const std::string& top = root.get_subcommands().front()->get_name();
  CommandLine line{parts.common, VersionCommand{}};
  if (top == "publish") line.command = parts.publish;
  if (top == "consume") {
    const std::string trouble = finish_consume(parts.consume, parts.common);
    if (!trouble.empty()) return usage_error(at, trouble);
    line.command = parts.consume;
  }
  if (top == "queue" && at.get_name() == "redrive") {
    if (parts.redrive.to == parts.redrive.queue) {
      return usage_error(at, "--to: the queue that they are in already");
    }
    line.command = parts.redrive;
  } else if (top == "queue" && at.get_name() == "peek") {
    if (parts.common.json) parts.peek.output = MessageForm::json;
    line.command = parts.peek;
  } else if (top == "queue") {
    for (const std::string& name : at.remaining()) {
      if (name.starts_with("-")) return unknown_word(at, name);
      parts.queue.queues.push_back(name);
    }
    if (!at.get_allow_extras() && !parts.names.empty()) {
      return unexpected_argument(at, parts.names.front());
    }
    parts.queue.queues.insert(parts.queue.queues.end(), parts.names.begin(), parts.names.end());
    line.command = parts.queue;
  }
  if (top == "plugin") line.command = parts.plugin;
  if (top == "plugin" && at.get_name() == "new") line.command = parts.plugin_new;
  if (top == "ping") line.command = parts.ping;
  if (top == "completion") line.command = parts.completion;
  if (top == "run") line.command = parts.run;
  if (is_control_command(top)) {
    const std::string trouble = finish_control_command(top, parts);
    if (!trouble.empty()) return usage_error(at, trouble);
    line.command = parts.control;
  }
  if (top == "config") {
    ConfigCommand& config = parts.config;
    if (config.file.empty()) config.file = parts.common.config;
    if (config.file.empty() && config.action == ConfigCommand::Action::check) {
      return usage_error(at, "no FILE is given, nor --config, nor SWAPMQ_CONFIG");
    }
    line.command = config;
  }
  return line;
}

} // namespace

std::variant<CommandLine, Leave> parse_command_line(std::vector<std::string> args,
                                                    const std::string& config_from_environment) {
  if (!args.empty() && args.front() == "help") { // 'swapmq help publish'
    args.erase(args.begin());
    args.emplace_back("--help");
  }
  if (!args.empty() && args.front() == complete_word) {
    CommonOptions common;
    common.config = config_from_environment;
    return CommandLine{common, CompleteCommand{{args.begin() + 1, args.end()}}};
  }
  if (!args.empty() && args.front() == manual_word) {
    return Leave{exit_done, manual_page(args.back()), ""};
  }
  Parts parts;
  App root(help::program, "swapmq");
  root.formatter(std::make_shared<HelpFormatter>());
  root.footer(help::program_footer);
  add_all_commands(root, parts);
  root.require_subcommand(0, 1);

  std::reverse(args.begin(), args.end()); // CLI11 takes them from the back
  parts.words = std::move(args);
  try {
    root.parse(parts.words);
  } catch (const CLI::CallForHelp&) {
    return Leave{exit_done, root.help(), ""};
  } catch (const CLI::CallForVersion& version) {
    return Leave{exit_done, std::string(version.what()) + "\n", ""};
  } catch (const CLI::ParseError& error) {
    return explain(root, error);
  }
  if (parts.common.config.empty()) parts.common.config = config_from_environment;
  return chosen(root, parts);
}

} // namespace swapmq::host
