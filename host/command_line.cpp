// SPDX-License-Identifier: MIT
#include "command_line.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <memory>

#include "command_line_parts.h"
#include "exit_code.h"
#include "help_text.h"
#include "suggestion.h"
#include "swapmq/swapmq.hpp"

namespace swapmq::host {
namespace {

using CLI::App;

constexpr std::uint32_t largest_prefetch = 65535;

void add_header(PublishCommand& command, const std::string& text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string::npos || equals == 0 || equals > 255) {
    throw CLI::ValidationError("--header: \"" + text +
                               "\" is not NAME=VALUE with a name of 1 to 255 bytes");
  }
  command.headers.emplace_back(text.substr(0, equals), text.substr(equals + 1));
}

void add_publish(App& root, Parts& parts) {
  PublishCommand& to = parts.publish;
  App& app = *add_command(root, parts, "publish", help::publish, help::publish_footer);
  app.add_option("QUEUE", to.queue, "The queue")->required()->option_text(" ");
  app.add_option("FILE", to.file, "The input (default, or -: standard input)")->option_text(" ");

  const char* group = "Input";
  CLI::Option* lines =
      app.add_flag("-l,--lines", to.lines, "One message a line, without its newline")->group(group);
  CLI::Option* null =
      app.add_flag("-0,--null", to.null_separated, "As --lines, but separated by NUL bytes")
          ->group(group);
  add_parsed<std::uint64_t>(app, "--max-size", to.max_size, parse_size, "a size such as 64K or 16M",
                            "SIZE", "The longest message; longer ones fail (default: 64M)")
      ->group(group);
  lines->excludes(null);

  group = "Pace";
  add_integer<std::uint32_t>(app, "-b,--batch", to.batch, 1, 65536,
                             "Messages in one publish call; fewer\nwhen the input pauses "
                             "(default: 256)")
      ->group(group);
  add_parsed<double>(app, "--rate", to.rate, parse_rate, "a number above 0, such as 50 or 2k", "N",
                     "Messages a second, evenly (default: no limit)")
      ->group(group);
  add_wait(app, "--timeout", to.timeout,
           "For one publish call, its retries\nincluded (default: 30s)")
      ->group(group);

  add_watch(app, to.watch);

  group = "Of every message";
  app.add_option_function<std::vector<std::string>>(
         "-H,--header",
         [&to](const std::vector<std::string>& given) {
           for (const std::string& text : given) add_header(to, text);
         },
         "A header; may be repeated")
      ->allow_extra_args(false)
      ->option_text("NAME=VALUE")
      ->group(group);
  add_duration(app, "--delay", to.delay, "Not delivered before")->group(group);
  add_duration(app, "--ttl", to.ttl, "Not delivered after (default: no limit)")->group(group);
  add_integer<std::uint32_t>(app, "--priority", to.priority, 0, 9,
                             "0 to 9, higher first (default: 0)")
      ->group(group);
  add_text(app, "--ordering-key", to.ordering_key, "KEY", "Kept in order among its like")
      ->group(group);
  add_text(app, "--content-type", to.content_type, "TYPE", "What the body is")->group(group);
  add_text(app, "--correlation-id", to.correlation_id, "ID", "What it belongs to")->group(group);
  add_text(app, "--reply-to", to.reply_to, "QUEUE", "Where an answer is expected")->group(group);
  add_text(app, "--id", to.id, "ID", "The message's id (default: a UUIDv7);\nfor one message only")
      ->group(group)
      ->excludes(lines)
      ->excludes(null);
}

void add_consume(App& root, Parts& parts) {
  ConsumeCommand& to = parts.consume;
  App& app = *add_command(root, parts, "consume", help::consume, help::consume_footer);
  app.add_option("QUEUE", to.queue, "The queue")->required()->option_text(" ");

  const char* group = "End";
  add_integer<std::uint64_t>(app, "-n,--max", to.max, 1, std::numeric_limits<std::uint64_t>::max(),
                             "End after so many messages")
      ->group(group);
  add_wait(app, "--idle-exit", to.idle_exit, "End when none came for so long")->group(group);

  group = "Output";
  using Output = ConsumeCommand::Output;
  CLI::Option* null = app.add_flag_callback(
      "-0,--null", [&to] { to.output = Output::null_separated; }, "A NUL byte after each message");
  CLI::Option* raw = app.add_flag_callback(
      "--raw", [&to] { to.output = Output::raw; }, "Nothing after each message");
  null->excludes(raw)->group(group);
  raw->group(group);
  app.add_flag("--sync", to.sync, "Sync the output file to disk before acking")->group(group);

  group = "Delivery";
  app.add_flag("--release", to.release,
               "Look only: give every message back at the\nend (default --max: the prefetch; at "
               "most 65535)")
      ->group(group);
  add_integer<std::uint32_t>(app, "--prefetch", to.prefetch, 1, largest_prefetch,
                             "Messages held unsettled at most\n(default: 256)")
      ->group(group);
  add_timeout(app, to.timeout, "For the broker to answer");
  add_watch(app, to.watch);
}

/// CLI11 forgets a "--" that follows a name, and all after it would be options again: it never sees
/// them.
void take_names(Parts& parts) {
  const auto mark = std::find(parts.words.rbegin(), parts.words.rend(), "--");
  if (mark == parts.words.rend()) return;
  parts.names.assign(std::make_reverse_iterator(mark.base() - 1), parts.words.rend());
  parts.words.erase(parts.words.begin(), mark.base());
}

void add_redrive(App& queue, Parts& parts) {
  RedriveCommand& to = parts.redrive;
  App& app = *add_command(queue, parts, "redrive", help::queue_redrive, help::queue_redrive_footer);
  app.add_option("DEAD", to.queue, "The queue of the dead letters")->required()->option_text(" ");
  add_text(app, "--to", to.to, "QUEUE", "Where to (default: where each came from)");
  add_integer<std::uint64_t>(app, "-n,--max", to.max, 1, std::numeric_limits<std::uint64_t>::max(),
                             "So many at most (default: all that lie there\nat the beginning)");
  add_timeout(app, to.timeout, "For each call to the broker");
}

void add_queue_commands(App& root, Parts& parts) {
  using Action = QueueCommand::Action;
  QueueCommand& to = parts.queue;
  App& queue = *add_command(root, parts, "queue", help::queue);
  const auto add = [&](const char* name, Action action, const char* description,
                       const char* footer = "") -> App& {
    App& app = *add_command(queue, parts, name, description, footer);
    app.preparse_callback([&parts](std::size_t) { take_names(parts); });
    app.parse_complete_callback([&to, action] { to.action = action; });
    add_timeout(app, to.timeout, "For each call to the broker");
    return app;
  };
  const auto add_names = [&](App& app, bool required) {
    // CLI11 would take a queue named "[a,b]" for a list of two: all but the first are extras.
    CLI::Option* names = app.add_option("QUEUE", to.queues, "The queues")
                             ->required(required)
                             ->allow_extra_args(false)
                             ->option_text(several);
    app.allow_extras();
    app.preparse_callback([&parts, names, required](std::size_t) {
      take_names(parts);
      names->required(required && parts.names.empty());
    });
  };
  const auto add_yes = [&](App& app) { app.add_flag("-y,--yes", to.yes, "Do not ask"); };
  add_names(add("create", Action::create, help::queue_create), true);
  App& remove = add("delete", Action::remove, help::queue_delete);
  add_names(remove, true);
  add_yes(remove);
  add_names(add("stats", Action::stats, help::queue_stats, help::queue_stats_footer), false);
  App& purge = add("purge", Action::purge, help::queue_purge);
  add_names(purge, true);
  add_yes(purge);
  App& list = add("list", Action::list, help::queue_list);
  list.add_flag_callback(
      "--sizes", [&to] { to.sizes = true; }, "With how many messages each holds");
  add_redrive(queue, parts);
}

void add_config_commands(App& root, Parts& parts) {
  using Action = ConfigCommand::Action;
  ConfigCommand& to = parts.config;
  App& config = *add_command(root, parts, "config", help::config);
  const auto add = [&](const char* name, Action action, const char* description,
                       const char* footer) -> App& {
    App& app = *add_command(config, parts, name, description, footer);
    app.parse_complete_callback([&to, action] { to.action = action; });
    return app;
  };
  add("check", Action::check, help::config_check, help::config_check_footer)
      .add_option("FILE", to.file, "The configuration")
      ->option_text(" ");
  add("show", Action::show, help::config_show, help::config_show_footer)
      .add_option("FILE", to.file, "The configuration")
      ->option_text(" ");
  App& schema = add("schema", Action::schema, help::config_schema, help::config_schema_footer);
  add_plugin_path(schema, to.plugin_path);
  App& explain = add("explain", Action::explain, help::config_explain, help::config_explain_footer);
  explain.add_option("KEY", to.key, "The key (default: a list of all)")->option_text(" ");
  explain.add_flag("--markdown", to.markdown, "All keys, as a page");
  add_plugin_path(explain, to.plugin_path);
}

void add_plugin_commands(App& root, Parts& parts) {
  using Action = PluginCommand::Action;
  PluginCommand& to = parts.plugin;
  App& plugin = *add_command(root, parts, "plugin", help::plugin);
  const auto add = [&](const char* name, Action action, const char* description,
                       const char* footer = "") -> App& {
    App& app = *add_command(plugin, parts, name, description, footer);
    app.parse_complete_callback([&to, action] { to.action = action; });
    add_plugin_path(app, to.plugin_path);
    return app;
  };
  add("list", Action::list, help::plugin_list);
  add("show", Action::show, help::plugin_show)
      .add_option("NAME", to.plugin, "Its name, or a path with a slash")
      ->required()
      ->option_text(" ");
  App& check = add("check", Action::check, help::plugin_check, help::plugin_check_footer);
  check.add_option("NAME", to.plugin, "Its name, or a path with a slash")
      ->required()
      ->option_text(" ");
  add_text(check, "--options", to.options, "JSON", "The options to open it with (default: {})");
}

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
  if (common.json) consume.output = ConsumeCommand::Output::json;
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
  if (top == "ping") line.command = parts.ping;
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
  Parts parts;
  App root(help::program, "swapmq");
  root.formatter(std::make_shared<HelpFormatter>());
  root.footer(help::program_footer);
  add_common(root, parts.common);
  root.set_version_flag("-V,--version", "swapmq " + std::string(swapmq::version()))
      ->description("Show the version")
      ->group(common_group);
  add_publish(root, parts);
  add_consume(root, parts);
  add_queue_commands(root, parts);
  add_config_commands(root, parts);
  add_plugin_commands(root, parts);
  add_host_commands(root, parts);
  add_command(root, parts, "version", help::version);
  add_timeout(*add_command(root, parts, "ping", help::ping), parts.ping.timeout,
              "For the broker to answer");
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
