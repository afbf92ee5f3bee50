// SPDX-License-Identifier: MIT
#include "command_line.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace swapmq::host {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using Args = std::vector<std::string>;

CommandLine parsed(const Args& args, const std::string& environment = "") {
  auto result = parse_command_line(args, environment);
  if (const auto* leave = std::get_if<Leave>(&result)) {
    ADD_FAILURE() << leave->err << leave->out;
    return {};
  }
  return std::get<CommandLine>(result);
}

template <class C>
C command(const Args& args) {
  const CommandLine line = parsed(args);
  const C* found = std::get_if<C>(&line.command);
  EXPECT_NE(found, nullptr) << "another command";
  return found == nullptr ? C() : *found;
}

Leave left(const Args& args) {
  auto result = parse_command_line(args, "");
  EXPECT_TRUE(std::holds_alternative<Leave>(result)) << "it was accepted";
  return std::holds_alternative<Leave>(result) ? std::get<Leave>(result) : Leave{};
}

std::string usage_error(const Args& args) {
  const Leave leave = left(args);
  EXPECT_EQ(leave.exit_code, 2);
  EXPECT_EQ(leave.out, "");
  return leave.err;
}

TEST(CommandLine, PublishDefaults) {
  const auto publish = command<PublishCommand>({"publish", "tasks"});
  EXPECT_EQ(publish.queue, "tasks");
  EXPECT_EQ(publish.file, "");
  EXPECT_FALSE(publish.lines);
  EXPECT_EQ(publish.batch, 256u);
  EXPECT_EQ(publish.rate, 0);
  EXPECT_EQ(publish.timeout, 30s);
  EXPECT_EQ(publish.max_size, 64u << 20);
}

TEST(CommandLine, PublishEverything) {
  const auto publish = command<PublishCommand>({"publish",   "tasks",
                                                "jobs.txt",  "--lines",
                                                "--batch",   "64",
                                                "--rate=2k", "--timeout",
                                                "5s",        "--header",
                                                "a=1",       "-H",
                                                "b=x=y",     "-H",
                                                "c=",        "--delay",
                                                "5s",        "--ttl",
                                                "1m",        "--priority",
                                                "9",         "--ordering-key",
                                                "k",         "--content-type",
                                                "t",         "--correlation-id",
                                                "i",         "--reply-to",
                                                "r",         "--max-size",
                                                "1M"});
  EXPECT_EQ(publish.file, "jobs.txt");
  EXPECT_TRUE(publish.lines);
  EXPECT_EQ(publish.batch, 64u);
  EXPECT_EQ(publish.rate, 2000);
  EXPECT_EQ(publish.timeout, 5s);
  EXPECT_EQ(publish.headers, (std::vector<std::pair<std::string, std::string>>{
                                 {"a", "1"}, {"b", "x=y"}, {"c", ""}}));
  EXPECT_EQ(publish.delay, 5s);
  EXPECT_EQ(publish.ttl, 1min);
  EXPECT_EQ(publish.priority, 9u);
  EXPECT_EQ(publish.ordering_key, "k");
  EXPECT_EQ(publish.content_type, "t");
  EXPECT_EQ(publish.correlation_id, "i");
  EXPECT_EQ(publish.reply_to, "r");
  EXPECT_EQ(publish.max_size, 1u << 20);
}

TEST(CommandLine, OptionsMayComeFirst) {
  const auto publish = command<PublishCommand>({"publish", "--lines", "-H", "a=1", "tasks", "-"});
  EXPECT_EQ(publish.queue, "tasks");
  EXPECT_EQ(publish.file, "-");
  EXPECT_EQ(publish.headers.size(), 1u);
}

TEST(CommandLine, QueuesNamedLikeCommandsOrOptions) {
  for (const char* name :
       {"queue", "publish", "consume", "help", "list", "create", "[a]", "{}", "%%"}) {
    EXPECT_EQ(command<PublishCommand>({"publish", name}).queue, name);
    EXPECT_EQ(command<ConsumeCommand>({"consume", name}).queue, name);
    EXPECT_EQ(command<QueueCommand>({"queue", "create", name}).queues, Args{name});
  }
  EXPECT_EQ(command<PublishCommand>({"publish", "--", "--lines"}).queue, "--lines");
}

TEST(CommandLine, Consume) {
  const auto consume = command<ConsumeCommand>({"consume", "tasks", "--max", "10", "--idle-exit",
                                                "2s", "--prefetch", "5", "--null", "--sync"});
  EXPECT_EQ(consume.max, 10u);
  EXPECT_TRUE(consume.exits_when_idle);
  EXPECT_EQ(consume.idle_exit, 2s);
  EXPECT_EQ(consume.prefetch, 5u);
  EXPECT_EQ(consume.output, MessageForm::null_separated);
  EXPECT_TRUE(consume.sync);
  EXPECT_EQ(command<ConsumeCommand>({"consume", "q", "--raw"}).output, MessageForm::raw);
  EXPECT_EQ(command<ConsumeCommand>({"consume", "q", "--json"}).output, MessageForm::json);
  EXPECT_FALSE(command<ConsumeCommand>({"consume", "q"}).exits_when_idle);
}

TEST(CommandLine, MessagesAsJsonLines) {
  EXPECT_TRUE(command<PublishCommand>({"publish", "q", "--ndjson"}).ndjson);
  EXPECT_TRUE(command<PublishCommand>({"publish", "q", "--ndjson", "--new-ids"}).new_ids);
  EXPECT_EQ(command<ConsumeCommand>({"consume", "q", "--ndjson"}).output, MessageForm::json);
  EXPECT_THAT(usage_error({"publish", "q", "--ndjson", "--lines"}), HasSubstr("--lines"));
  EXPECT_THAT(usage_error({"publish", "q", "--new-ids"}), HasSubstr("--ndjson"));
  EXPECT_THAT(usage_error({"publish", "q", "--ndjson", "--id", "x"}), HasSubstr("--id"));
  EXPECT_THAT(usage_error({"consume", "q", "--ndjson", "--raw"}), HasSubstr("--raw"));
}

TEST(CommandLine, Peek) {
  const auto peek = command<PeekCommand>({"queue", "peek", "q"});
  EXPECT_EQ(peek.queue, "q");
  EXPECT_EQ(peek.max, 10u);
  EXPECT_EQ(peek.output, MessageForm::lines);
  EXPECT_EQ(command<PeekCommand>({"queue", "peek", "q", "--json"}).output, MessageForm::json);
  EXPECT_THAT(usage_error({"queue", "peek"}), HasSubstr("QUEUE is required"));
  EXPECT_THAT(usage_error({"queue", "peek", "q", "-n", "0"}), HasSubstr("from 1 to 65535"));
}

TEST(CommandLine, ForTheShells) {
  EXPECT_EQ(command<CompletionCommand>({"completion", "zsh"}).shell, "zsh");
  EXPECT_THAT(usage_error({"completion", "tcsh"}), HasSubstr("tcsh"));
  EXPECT_EQ(command<CompleteCommand>({"__complete", "queue", "--help"}).words,
            (Args{"queue", "--help"}));
  EXPECT_THAT(left({"__manual", "2026-01-31"}).out, HasSubstr(".TH SWAPMQ 1"));
}

TEST(CommandLine, LookingHoldsAllThatItShows) {
  const auto look = command<ConsumeCommand>({"consume", "q", "--release", "--max", "1000"});
  EXPECT_EQ(look.prefetch, 1000u);
  EXPECT_TRUE(look.exits_when_idle) << "or it would wait for ever";
  EXPECT_EQ(command<ConsumeCommand>({"consume", "q", "--release"}).max, 256u);
  EXPECT_EQ(command<ConsumeCommand>({"consume", "q", "--release", "-n", "65535"}).max, 65535u);
  EXPECT_THAT(
      usage_error({"consume", "q", "--release", "--max", "65536"}),
      HasSubstr("--max: \"65536\" is more than the 65535 messages that --release can hold"));
  EXPECT_EQ(command<ConsumeCommand>({"consume", "q", "--max", "65536"}).max, 65536u);
  EXPECT_THAT(left({"consume", "--help"}).out, HasSubstr("at most 65535"));
}

TEST(CommandLine, QueueCommands) {
  using Action = QueueCommand::Action;
  EXPECT_EQ(command<QueueCommand>({"queue", "create", "a", "b"}).action, Action::create);
  EXPECT_EQ(command<QueueCommand>({"queue", "create", "a", "b"}).queues, (Args{"a", "b"}));
  const auto remove = command<QueueCommand>({"queue", "delete", "a", "--yes"});
  EXPECT_EQ(remove.action, Action::remove);
  EXPECT_TRUE(remove.yes);
  EXPECT_EQ(command<QueueCommand>({"queue", "stats"}).action, Action::stats);
  EXPECT_EQ(command<QueueCommand>({"queue", "purge", "a"}).action, Action::purge);
  EXPECT_EQ(command<QueueCommand>({"queue", "list"}).action, Action::list);
  EXPECT_EQ(command<QueueCommand>({"queue", "stats", "[a,b]", "-q", "[c]", "{}"}).queues,
            (Args{"[a,b]", "[c]", "{}"}));
  EXPECT_THAT(usage_error({"queue", "purge", "a", "--yse", "b"}), HasSubstr("\"--yes\""));
  EXPECT_THAT(usage_error({"queue", "list", "a"}), HasSubstr("unexpected argument \"a\""));
}

TEST(CommandLine, AfterTheFirstCommandNoWordIsAnother) {
  using Action = QueueCommand::Action;
  const auto stats = command<QueueCommand>({"queue", "stats", "a", "delete", "b"});
  EXPECT_EQ(stats.action, Action::stats) << "it would delete what was to be looked at";
  EXPECT_EQ(stats.queues, (Args{"a", "delete", "b"}));
  const auto list = command<QueueCommand>({"queue", "stats", "list"});
  EXPECT_EQ(list.action, Action::stats);
  EXPECT_EQ(list.queues, Args{"list"});
  EXPECT_THAT(usage_error({"queue", "list", "delete", "x"}),
              HasSubstr("swapmq queue list: unexpected argument \"delete\""));
  EXPECT_THAT(usage_error({"plugin", "show", "memory", "list"}),
              HasSubstr("swapmq plugin show: unexpected argument \"list\""));
  EXPECT_THAT(usage_error({"config", "check", "a.json", "check"}),
              HasSubstr("unexpected argument \"check\""));
}

TEST(CommandLine, AfterTwoDashesAllAreNamesOfQueues) {
  EXPECT_EQ(command<QueueCommand>({"queue", "delete", "--", "-x"}).queues, Args{"-x"});
  const auto purge = command<QueueCommand>(
      {"queue", "purge", "-y", "a", "b", "--", "-x", "--", "--yes", "--help", "list"});
  EXPECT_EQ(purge.action, QueueCommand::Action::purge);
  EXPECT_TRUE(purge.yes);
  EXPECT_EQ(purge.queues, (Args{"a", "b", "-x", "--", "--yes", "--help", "list"}));
  EXPECT_FALSE(command<QueueCommand>({"queue", "delete", "--", "--yes"}).yes);
  EXPECT_EQ(command<QueueCommand>({"queue", "stats", "--"}).queues, Args{});
  EXPECT_THAT(usage_error({"queue", "delete", "--"}), HasSubstr("QUEUE"));
  EXPECT_THAT(usage_error({"queue", "list", "--", "-x"}),
              HasSubstr("swapmq queue list: unexpected argument \"-x\""));
  EXPECT_THAT(usage_error({"queue", "delete", "--yse", "--", "-x"}),
              HasSubstr("unknown option \"--yse\"; did you mean \"--yes\"?"));
  EXPECT_THAT(usage_error({"queue", "delete", "-x"}),
              HasSubstr("unknown option \"-x\"; a queue's name that begins with - goes after --"));
}

TEST(CommandLine, PluginCommands) {
  using Action = PluginCommand::Action;
  EXPECT_EQ(command<PluginCommand>({"plugin", "list"}).action, Action::list);
  EXPECT_EQ(command<PluginCommand>({"plugin", "show", "sqlite"}).plugin, "sqlite");
  const auto check =
      command<PluginCommand>({"plugin", "check", "./a.so", "--options", R"({"path": "[x]"})",
                              "--plugin-path", "p1", "--plugin-path", "p2"});
  EXPECT_EQ(check.action, Action::check);
  EXPECT_EQ(check.plugin, "./a.so");
  EXPECT_EQ(check.options, R"({"path": "[x]"})");
  EXPECT_EQ(check.plugin_path, (Args{"p1", "p2"}));
  EXPECT_EQ(command<PluginCommand>({"plugin", "check", "a", "--options", "{}"}).options, "{}");
  EXPECT_FALSE(check.list_tests);
  const auto list = command<PluginCommand>({"plugin", "check", "--list", "--only", "Settle.*"});
  EXPECT_EQ(list.action, Action::check);
  EXPECT_TRUE(list.list_tests);
  EXPECT_EQ(list.only, "Settle.*");
  EXPECT_THAT(usage_error({"plugin", "check"}), HasSubstr("PLUGIN is required"));
  EXPECT_THAT(usage_error({"plugin", "check", "--list", "--options", "{}"}),
              HasSubstr("--options"));
}

std::string overrides(const std::vector<std::string>& args) {
  std::string all;
  for (const ConfigOverride& one : parsed(args).common.overrides) {
    all += one.key + "=" + one.value + " ";
  }
  return all;
}

TEST(CommandLine, TheConfigMayStandAnywhereAndWinsOverTheEnvironment) {
  EXPECT_EQ(parsed({"publish", "q", "--config", "a.json"}, "e.json").common.config, "a.json");
  EXPECT_EQ(parsed({"--config", "a.json", "publish", "q"}, "e.json").common.config, "a.json");
  EXPECT_EQ(parsed({"queue", "list", "-c", "a.json"}, "e.json").common.config, "a.json");
  EXPECT_EQ(parsed({"queue", "list"}, "e.json").common.config, "e.json");
  EXPECT_EQ(parsed({"queue", "list"}).common.config, "");
  EXPECT_EQ(overrides({"version", "--log-level", "debug"}), "log.level=debug ");
  EXPECT_EQ(overrides({"--set", "a.b=c=d", "ping", "--set", "/x="}), "a.b=c=d /x= ");
  EXPECT_TRUE(parsed({"ping", "-q", "--json"}).common.quiet);
}

TEST(CommandLine, ConfigCheckTakesItsFileFromAnywhere) {
  EXPECT_EQ(command<ConfigCommand>({"config", "check", "a.json"}).file, "a.json");
  EXPECT_EQ(command<ConfigCommand>({"config", "check", "-c", "b.json"}).file, "b.json");
  EXPECT_THAT(usage_error({"config", "check"}), HasSubstr("no FILE is given"));
}

TEST(CommandLine, MistypedWordsAreNamedAndCorrected) {
  EXPECT_THAT(usage_error({"pubish", "tasks", "--lines"}),
              HasSubstr(R"(swapmq: unknown command "pubish"; did you mean "publish"?)"));
  EXPECT_THAT(usage_error({"pubish", "queue"}), HasSubstr(R"(did you mean "publish"?)"));
  EXPECT_THAT(usage_error({"queue", "crate", "x"}),
              HasSubstr(R"(swapmq queue: unknown command "crate"; did you mean "create"?)"));
  EXPECT_THAT(
      usage_error({"publish", "q", "--pirority", "3"}),
      HasSubstr(R"(swapmq publish: unknown option "--pirority"; did you mean "--priority"?)"));
  EXPECT_THAT(usage_error({"publish", "--lnes"}), HasSubstr(R"(did you mean "--lines"?)"));
  EXPECT_THAT(usage_error({"publish", "q", "--tiemout=3s"}),
              HasSubstr(R"(did you mean "--timeout"?)"));
  EXPECT_THAT(usage_error({"frobnicate"}), HasSubstr("unknown command \"frobnicate\"\n"));
  EXPECT_THAT(usage_error({"publish", "q", "file", "more"}),
              HasSubstr("unexpected argument \"more\""));
}

TEST(CommandLine, WrongValuesAreNamed) {
  EXPECT_THAT(usage_error({"publish", "q", "--timeout", "5"}),
              HasSubstr("--timeout: \"5\" is not a duration above zero, such as 500ms"));
  EXPECT_THAT(usage_error({"publish", "q", "--priority", "10"}),
              HasSubstr("--priority: \"10\" is not a number from 0 to 9"));
  EXPECT_THAT(usage_error({"publish", "q", "--batch", "0"}), HasSubstr("--batch: \"0\""));
  EXPECT_THAT(usage_error({"publish", "q", "--batch", "1x"}), HasSubstr("--batch: \"1x\""));
  EXPECT_THAT(usage_error({"publish", "q", "--rate", "0"}), HasSubstr("--rate: \"0\""));
  EXPECT_THAT(usage_error({"publish", "q", "--header", "novalue"}), HasSubstr("NAME=VALUE"));
  EXPECT_THAT(usage_error({"publish", "q", "--header", "=v"}), HasSubstr("NAME=VALUE"));
  EXPECT_THAT(usage_error({"consume", "q", "--max", "-1"}), HasSubstr("--max"));
  EXPECT_THAT(usage_error({"consume", "q", "--idle-exit", "0s"}), HasSubstr("--idle-exit: \"0s\""));
  EXPECT_THAT(usage_error({"consume", "q", "--prefetch", "4294967297"}), HasSubstr("--prefetch"));
  EXPECT_THAT(usage_error({"version", "--log-level", "loud"}), HasSubstr("loud"));
  EXPECT_THAT(usage_error({"publish", "q", "--config"}), HasSubstr("--config"));
  EXPECT_THAT(usage_error({"publish", "q", "--lines", "--null"}), HasSubstr("--null"));
  EXPECT_THAT(usage_error({"publish", "q", "--lines", "--id", "x"}), HasSubstr("--id"));
}

TEST(CommandLine, WhatIsMissingIsNamed) {
  EXPECT_THAT(usage_error({}), HasSubstr("a command is needed: publish, consume, queue"));
  EXPECT_THAT(usage_error({"queue"}), HasSubstr("a command is needed: create, delete"));
  EXPECT_THAT(usage_error({"publish"}), HasSubstr("QUEUE"));
  EXPECT_THAT(usage_error({"publish"}), HasSubstr("Try 'swapmq publish --help'."));
  EXPECT_THAT(usage_error({"queue", "delete"}), HasSubstr("QUEUE"));
}

TEST(CommandLine, HelpTellsAll) {
  const Leave root = left({"--help"});
  EXPECT_EQ(root.exit_code, 0);
  EXPECT_EQ(root.err, "");
  for (const char* part : {"Commands:", "Exit codes", "130  interrupted", "SWAPMQ_CONFIG",
                           "publish", "plugin", "Examples"}) {
    EXPECT_THAT(root.out, HasSubstr(part));
  }
  const Leave publish = left({"publish", "--help"});
  for (const char* part : {"Usage: swapmq publish QUEUE [FILE] [OPTION]...", "--rate", "--config",
                           "(default: 256)", "Exit codes", "Examples"}) {
    EXPECT_THAT(publish.out, HasSubstr(part));
  }
  EXPECT_EQ(left({"help", "publish"}).out, publish.out);
  EXPECT_EQ(left({"help"}).out, root.out);
  EXPECT_THAT(left({"queue", "stats", "-h"}).out,
              HasSubstr("Usage: swapmq queue stats [QUEUE...]"));
  EXPECT_THAT(left({"--version"}).out, HasSubstr("swapmq "));
}

TEST(CommandLine, HelpFitsATerminal) {
  for (const Args& args : {Args{"--help"}, Args{"publish", "--help"}, Args{"consume", "--help"},
                           Args{"queue", "--help"}, Args{"queue", "stats", "--help"},
                           Args{"config", "check", "--help"}, Args{"plugin", "check", "--help"}}) {
    std::string help = left(args).out;
    while (!help.empty()) {
      const std::size_t end = help.find('\n');
      EXPECT_LE(end, 100u) << help.substr(0, end);
      help.erase(0, end == std::string::npos ? end : end + 1);
    }
  }
}

} // namespace
} // namespace swapmq::host
