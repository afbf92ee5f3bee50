// SPDX-License-Identifier: MIT
//
// The commands, their arguments and options. Those of hosts are in host_commands_line.cpp.
#include <algorithm>
#include <iterator>
#include <limits>

#include "command_line_parts.h"
#include "help_text.h"
#include "swapmq/swapmq.hpp"

namespace swapmq::host {
namespace {

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
  CLI::Option* ndjson = app.add_flag("--ndjson", to.ndjson, "One message a line, as a JSON object")
                            ->group(group)
                            ->excludes(lines)
                            ->excludes(null);
  app.add_flag("--new-ids", to.new_ids, "With --ndjson: not the ids of the lines")
      ->group(group)
      ->needs(ndjson);

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
      ->excludes(null)
      ->excludes(ndjson);
}

/// How messages are written; each option is another way.
void add_message_form(App& app, MessageForm& form) {
  const char* group = "Output";
  const auto add = [&](const char* names, MessageForm wanted, const char* description) {
    return app
        .add_flag_callback(
            names, [&form, wanted] { form = wanted; }, description)
        ->group(group);
  };
  CLI::Option* null =
      add("-0,--null", MessageForm::null_separated, "A NUL byte after each message");
  CLI::Option* raw = add("--raw", MessageForm::raw, "Nothing after each message");
  CLI::Option* ndjson = add("--ndjson", MessageForm::json, "One message a line, as a JSON object");
  null->excludes(raw)->excludes(ndjson);
  raw->excludes(ndjson);
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
  add_message_form(app, to.output);
  app.add_flag("--sync", to.sync, "Sync the output file to disk before acking")->group(group);

  group = "Delivery";
  add_text(app, "-g,--group", to.group, "GROUP",
           "As one of this group of the queue's, which\nthe configuration lists")
      ->group(group);
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

void add_plugin_new(App& plugin, Parts& parts) {
  PluginNewCommand& to = parts.plugin_new;
  App& app = *add_command(plugin, parts, "new", help::plugin_new, help::plugin_new_footer);
  app.add_option("NAME", to.name, "Its name: small letters, digits and _")
      ->required()
      ->option_text(" ");
  app.add_option("FOLDER", to.folder, "Where to (default: a folder of its name)")->option_text(" ");
  const std::vector<std::string> languages{"c", "c++"};
  CLI::Option* language =
      add_text(app, "--language", to.language, "c|c++", "What it is written in (default: c++)");
  language->check(CLI::IsMember(languages));
  parts.choices[language] = languages;
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

void add_peek(App& queue, Parts& parts) {
  PeekCommand& to = parts.peek;
  App& app = *add_command(queue, parts, "peek", help::queue_peek, help::queue_peek_footer);
  app.add_option("QUEUE", to.queue, "The queue")->required()->option_text(" ");
  add_integer<std::uint32_t>(app, "-n,--max", to.max, 1, largest_prefetch,
                             "So many at most (default: 10)");
  add_message_form(app, to.output);
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
  add_peek(queue, parts);
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

void add_plugin_check(App& app, PluginCommand& to) {
  app.add_option("PLUGIN", to.plugin, "Its name, or a path with a slash")->option_text(" ");
  app.parse_complete_callback([&to] {
    to.action = PluginCommand::Action::check;
    if (to.plugin.empty() && !to.list_tests) throw CLI::RequiredError("PLUGIN");
  });
  CLI::Option* options =
      add_text(app, "--options", to.options, "JSON", "The options to open it with (default: {})");
  add_text(app, "--only", to.only, "PATTERN", "Only these tests, such as Settle.* (default: all)");
  CLI::Option* control = add_text(app, "--broker-control", to.broker_control, "CMD",
                                  "Let it break the broker, by this command of the shell");
  CLI::Option* junit =
      add_text(app, "--junit", to.junit, "FILE", "Also write the result as JUnit XML");
  app.add_flag("--list", to.list_tests, "Print the tests with their rules, and run none")
      ->excludes(options)
      ->excludes(control)
      ->excludes(junit);
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
      .add_option("PLUGIN", to.plugin, "Its name, or a path with a slash")
      ->required()
      ->option_text(" ");
  add_plugin_check(add("check", Action::check, help::plugin_check, help::plugin_check_footer), to);
  add_plugin_new(plugin, parts);
}

void add_completion(App& root, Parts& parts) {
  CompletionCommand& to = parts.completion;
  App& app = *add_command(root, parts, "completion", help::completion, help::completion_footer);
  const std::vector<std::string> shells{"bash", "zsh", "fish"};
  CLI::Option* shell = app.add_option("SHELL", to.shell, "bash, zsh or fish");
  shell->required()->check(CLI::IsMember(shells))->option_text(" ");
  parts.choices[shell] = shells;
}

} // namespace

void add_all_commands(App& root, Parts& parts) {
  add_common(root, parts);
  root.set_version_flag("-V,--version", "swapmq " + std::string(swapmq::version()))
      ->description("Show the version")
      ->group(common_group);
  add_publish(root, parts);
  add_consume(root, parts);
  add_queue_commands(root, parts);
  add_config_commands(root, parts);
  add_plugin_commands(root, parts);
  add_host_commands(root, parts);
  add_completion(root, parts);
  add_command(root, parts, "version", help::version);
  add_timeout(*add_command(root, parts, "ping", help::ping), parts.ping.timeout,
              "For the broker to answer");
}

} // namespace swapmq::host
