// SPDX-License-Identifier: MIT
//
// The other commands, and each exit code.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "support.h"

namespace swapmq::program_test {
namespace {

namespace fs = std::filesystem;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::StartsWith;

class Commands : public WithSqlite {};

TEST_F(Commands, QueuesFromCreationToDeletion) {
  EXPECT_EQ(swapmq({"queue", "create", "b", "a"}).code, 0);
  EXPECT_EQ(swapmq({"queue", "create", "a"}).code, 0) << "twice is fine";
  EXPECT_EQ(swapmq({"queue", "list"}).out, "a\nb\n");
  EXPECT_THAT(swapmq({"queue", "list", "--json"}).out,
              HasSubstr(R"("queues":[{"queue":"a"},{"queue":"b"}])"));
  swapmq({"publish", "a", "--lines"}, {.input = "1\n2\n3\n"});
  EXPECT_EQ(swapmq({"queue", "stats"}).out,
            "QUEUE  READY  UNACKED  DELAYED\n"
            "a      3      0        0\n"
            "b      0      0        0\n");
  EXPECT_EQ(swapmq({"queue", "purge", "a"}).out, "removed 3 from a\n");
  EXPECT_EQ(swapmq({"queue", "delete", "a", "b", "--yes"}).code, 0);
  EXPECT_EQ(swapmq({"queue", "delete", "a"}).code, 0) << "what is not there is no error";
  EXPECT_EQ(swapmq({"queue", "list"}).out, "");
}

TEST_F(Commands, AQueueNamedLikeACommandRunsNone) {
  swapmq({"queue", "create", "a", "b", "delete"});
  const Finished stats = swapmq({"queue", "stats", "a", "delete", "b"});
  EXPECT_EQ(stats.code, 0) << stats.err;
  EXPECT_THAT(stats.out, HasSubstr("delete  0"));
  EXPECT_EQ(swapmq({"queue", "list"}).out, "a\nb\ndelete\n") << "looking has deleted";
}

TEST_F(Commands, StatsOfAQueueThatDoesNotExist) {
  const Finished stats = swapmq({"queue", "stats", "nosuch"});
  EXPECT_EQ(stats.code, 1);
  EXPECT_EQ(stats.out, "");
  EXPECT_THAT(stats.err, HasSubstr("there is no queue \"nosuch\""));
}

TEST_F(Commands, Ping) {
  EXPECT_THAT(swapmq({"ping"}).out, StartsWith("sqlite answered in "));
  EXPECT_THAT(swapmq({"ping", "--json"}).out, HasSubstr(R"({"backend":"sqlite","connect_ms":)"));
}

TEST_F(Commands, VersionNeedsNoConfig) {
  const Finished version = run(folder_, {"version", "--json"});
  EXPECT_EQ(version.code, 0);
  EXPECT_THAT(version.out, ContainsRegex(R"("library":"[0-9]+\.[0-9]+\.[0-9]+","abi":"[0-9]+\.)"));
  EXPECT_THAT(run(folder_, {"version"}).out, HasSubstr("compiler"));
}

TEST_F(Commands, ConfigCheck) {
  const Finished good = run(folder_, {"config", "check", "swapmq.json"});
  EXPECT_EQ(good.code, 0) << good.err;
  EXPECT_EQ(good.out, "swapmq.json: ok (type sqlite)\n");
  folder_.write("bad.json", R"({"message_queue": {"type": "sqlite",
  "sqlite": {"pth": "x"}, "max_retries": "three"}})");
  const Finished bad = run(folder_, {"config", "check", "bad.json"});
  EXPECT_EQ(bad.code, 3);
  EXPECT_EQ(bad.out, "");
  EXPECT_THAT(bad.err, HasSubstr("bad.json:2:14: /message_queue/sqlite/pth: "));
  EXPECT_THAT(bad.err, HasSubstr("/message_queue/max_retries: "));
  for (const std::string& line : lines_of(bad.err)) EXPECT_THAT(line, StartsWith("bad.json:2:"));
  const Finished json = run(folder_, {"config", "check", "bad.json", "--json"});
  EXPECT_EQ(json.code, 3);
  EXPECT_THAT(json.out, HasSubstr(R"("ok":false)"));
  EXPECT_THAT(json.out, HasSubstr(R"("line":2,"column":14,"pointer":"/message_queue/sqlite/pth")"));
  EXPECT_EQ(run(folder_, {"config", "check", "missing.json"}).code, 3);
}

TEST_F(Commands, TheConfigOfTheEnvironment) {
  const How how{.environment = {"SWAPMQ_CONFIG=" + config_}};
  EXPECT_EQ(run(folder_, {"queue", "create", "q"}, how).code, 0);
  EXPECT_EQ(swapmq({"queue", "list"}).out, "q\n");
}

TEST_F(Commands, WithoutAConfigTheEmbeddedDefault) {
  EXPECT_EQ(run(folder_, {"publish", "q"}, {.input = "x"}).code, 0);
  EXPECT_TRUE(fs::exists(folder_.path() + "/swapmq-data"));
  // The program's own copy of the default, for another log level, must mean the same.
  EXPECT_EQ(run(folder_, {"consume", "q", "--max", "1", "--log-level", "error"}).out, "x\n");
}

TEST_F(Commands, TheLogLevelOfTheCommandLine) {
  EXPECT_EQ(swapmq({"queue", "create", "q", "--log-level", "trace"}).code, 0);
  EXPECT_EQ(swapmq({"queue", "list", "--log-level", "off"}).out, "q\n");
  folder_.write("bad.json", "{\n  nonsense");
  const Finished bad = run(folder_, {"ping", "--config", "bad.json", "--log-level", "debug"});
  EXPECT_EQ(bad.code, 3);
  EXPECT_THAT(bad.err, StartsWith("bad.json:2:3")) << "positions are those of the file";
}

TEST_F(Commands, Plugins) {
  const Finished list = run(folder_, {"plugin", "list"});
  EXPECT_EQ(list.code, 0) << list.err;
  EXPECT_THAT(list.out, ContainsRegex("memory +[0-9.]+ +[0-9.]+ +/"));
  EXPECT_THAT(list.out, ContainsRegex("sqlite +[0-9.]+ +[0-9.]+ +/"));
  EXPECT_THAT(run(folder_, {"plugin", "list", "--json"}).out, HasSubstr(R"("name":"sqlite")"));
  const Finished show = run(folder_, {"plugin", "show", "sqlite"});
  EXPECT_EQ(show.code, 0) << show.err;
  EXPECT_THAT(show.out, HasSubstr("durability"));
  EXPECT_THAT(show.out, HasSubstr("options (JSON Schema)"));
  EXPECT_THAT(run(folder_, {"plugin", "show", "sqlite", "--json"}).out,
              HasSubstr(R"("options_schema":{)"));
  EXPECT_THAT(run(folder_, {"plugin", "list", "--plugin-path", SWAPMQ_TEST_BACKENDS}).out,
              HasSubstr("trouble"));
  EXPECT_THAT(run(folder_, {"plugin", "list", "--config", trouble_config(folder_)}).out,
              HasSubstr("trouble"));
}

TEST_F(Commands, Code1SomeMessagesFailed) {
  const Finished some =
      run(folder_, {"publish", "picky", "--lines", "--config", trouble_config(folder_)},
          {.input = "small\nbigger\nsmall\n"});
  EXPECT_EQ(some.code, 1);
  EXPECT_THAT(some.err, HasSubstr("line 2: not published: "));
  EXPECT_THAT(some.err, HasSubstr("confirmed 2 failed 1 in_doubt 0"));
}

TEST_F(Commands, Code2Usage) {
  EXPECT_EQ(run(folder_, {"pubish", "q"}).code, 2);
  EXPECT_THAT(run(folder_, {"pubish", "q"}).err, HasSubstr("did you mean \"publish\"?"));
  EXPECT_EQ(run(folder_, {}).code, 2);
  EXPECT_EQ(swapmq({"publish", "q", "missing.txt"}).code, 2);
  EXPECT_EQ(swapmq({"publish", "q", "/tmp"}).code, 2);
  EXPECT_EQ(swapmq({"publish", ""}, {.input = "x"}).code, 2);
  EXPECT_EQ(swapmq({"publish", "q", "--batch", "many"}).code, 2);
  EXPECT_EQ(run(folder_, {"--help"}).code, 0);
}

TEST_F(Commands, Code3Config) {
  folder_.write("bad.json", "{}");
  EXPECT_EQ(run(folder_, {"queue", "list", "--config", "bad.json"}).code, 3);
  EXPECT_EQ(run(folder_, {"queue", "list", "--config", "missing.json"}).code, 3);
}

TEST_F(Commands, Code3AValueThatOnlyTheBackendRefuses) {
  folder_.write("folder.json", R"({"message_queue": {"type": "sqlite", "sqlite": {"path": "."}}})");
  for (const Args& args : {Args{"ping"}, Args{"publish", "q"}, Args{"consume", "q", "--max", "1"},
                           Args{"queue", "create", "q"}}) {
    Args whole = args;
    whole.insert(whole.end(), {"--config", "folder.json"});
    const Finished refused = run(folder_, whole, {.input = "x"});
    EXPECT_EQ(refused.code, 3) << args.front();
    EXPECT_THAT(refused.err, HasSubstr("is not a regular file")) << args.front();
  }
  EXPECT_EQ(swapmq({"queue", "create", ""}).code, 2) << "of the command line";
  EXPECT_EQ(swapmq({"consume", "", "--max", "1"}).code, 2);
}

TEST_F(Commands, Code3AConfigThatIsNoRegularFile) {
  ASSERT_EQ(::mkfifo((folder_.path() + "/pipe").c_str(), 0600), 0);
  folder_.write("long.json", std::string((1 << 20) + 4, ' ') + "{}");
  const std::vector<std::pair<std::string, std::string>> wrong{
      {"pipe", "pipe: is a pipe; it must be a regular file"},
      {"/dev/zero", "/dev/zero: is a device or a socket; it must be a regular file"},
      {".", ".: is a directory; name a file"},
      {"long.json", "long.json: too large: a config has at most 1048576 bytes"},
      {"missing.json", "missing.json: cannot be found: No such file or directory"}};
  for (const auto& [file, message] : wrong) {
    for (const Args& args : {Args{"config", "check", file}, Args{"plugin", "list", "-c", file},
                             Args{"queue", "list", "-c", file},
                             Args{"--log-level", "info", "-c", file, "queue", "list"}}) {
      const Finished refused = run(folder_, args);
      EXPECT_EQ(refused.code, 3) << args.front() << " " << file;
      EXPECT_THAT(refused.err, HasSubstr(message)) << args.front();
      EXPECT_EQ(refused.out, "");
    }
  }
}

TEST_F(Commands, Code4Plugin) {
  folder_.write("stranger.json", R"({"message_queue": {"type": "stranger"}})");
  const Finished stranger = run(folder_, {"queue", "list", "--config", "stranger.json"});
  EXPECT_EQ(stranger.code, 4) << stranger.err;
  EXPECT_THAT(stranger.err, StartsWith("stranger.json:1:")) << "no word before the place";
  EXPECT_EQ(run(folder_, {"config", "check", "stranger.json"}).code, 4);
  EXPECT_EQ(run(folder_, {"plugin", "show", "stranger"}).code, 4);
  EXPECT_EQ(run(folder_, {"plugin", "check", "stranger"}).code, 4);
}

TEST_F(Commands, Code5BrokerUnreachable) {
  const std::string down = trouble_config(folder_, true);
  const auto with = [&](Args args) {
    args.insert(args.end(), {"--timeout", "300ms", "--config", down});
    return run(folder_, args, {.input = "1\n2\n"});
  };
  EXPECT_EQ(with({"ping"}).code, 5);
  EXPECT_EQ(with({"consume", "q"}).code, 5);
  EXPECT_EQ(with({"queue", "stats", "q"}).code, 5);
  const Finished publish = with({"publish", "q", "--lines"});
  EXPECT_EQ(publish.code, 5);
  EXPECT_THAT(publish.err, HasSubstr("confirmed 0 failed 2 in_doubt 0"));
  EXPECT_THAT(publish.err, HasSubstr("is it running?"));
}

TEST_F(Commands, Code5MessagesAreReadyAndNoneComes) {
  const Args args{"consume", "withheld", "--idle-exit",
                  "50ms",    "--config", trouble_config(folder_)};
  const Finished consume = run(folder_, args);
  EXPECT_EQ(consume.code, 5);
  EXPECT_THAT(consume.err, HasSubstr("3 messages of withheld are ready, but none came for "));
}

TEST_F(Commands, PublishingEndsWhereTheBrokerIsGone) {
  const Finished publish = run(folder_,
                               {"publish", "down", "--lines", "--batch", "2", "--timeout", "200ms",
                                "--config", trouble_config(folder_)},
                               {.input = numbered_lines(1000)});
  EXPECT_EQ(publish.code, 5);
  EXPECT_THAT(publish.err, HasSubstr("confirmed 0 failed 2 in_doubt 0"));
  EXPECT_THAT(publish.err, HasSubstr("publishing ended at line 2 of standard input"));
}

TEST_F(Commands, InDoubtIsToldApart) {
  const Finished publish =
      run(folder_, {"publish", "limbo", "--timeout", "200ms", "--config", trouble_config(folder_)},
          {.input = "x"});
  EXPECT_NE(publish.code, 0);
  EXPECT_THAT(publish.err, HasSubstr("confirmed 0 failed 0 in_doubt 1"));
}

TEST_F(Commands, AResultThatCannotBePrintedIsAFailure) {
  swapmq({"queue", "create", "q"});
  EXPECT_EQ(swapmq({"queue", "list"}, {.out = Stdout::full}).code, 1);
  EXPECT_EQ(run(folder_, {"--help"}, {.out = Stdout::full}).code, 1);
}

/// An installed tree whose contract kit is a script.
class PluginCheck : public Commands {
 protected:
  PluginCheck() {
    const fs::path built = fs::path(SWAPMQ_TEST_PROGRAM).parent_path().parent_path();
    const fs::path tree = folder_.path() + "/tree";
    fs::create_directories(tree / "bin");
    fs::create_directories(tree / "libexec/swapmq");
    fs::copy_file(SWAPMQ_TEST_PROGRAM, tree / "bin/swapmq");
    fs::create_symlink(built / "lib", tree / "lib");
    program_ = (tree / "bin/swapmq").string();
  }
  Finished check(const std::string& script, Args more = {}) {
    const std::string kit =
        folder_.write("tree/libexec/swapmq/swapmq-contract-kit", "#!/bin/sh\n" + script + "\n");
    ::chmod(kit.c_str(), 0700);
    more.insert(more.begin(), {"plugin", "check", "memory"});
    return run(folder_, more, {.program = program_});
  }

  std::string program_;
};

TEST_F(PluginCheck, RunsTheKitOnTheFileThatTheNameStandsFor) {
  const Finished checked = check(R"(echo "$@")", {"--options", R"({"a": 1})"});
  EXPECT_EQ(checked.code, 0) << checked.err;
  EXPECT_THAT(checked.out,
              ContainsRegex(R"(^--plugin /.*/memory\.so --options \{"a": 1\} --isolate)"));
}

TEST_F(PluginCheck, MapsTheEndOfTheKit) {
  EXPECT_EQ(check("exit 0").code, 0);
  EXPECT_EQ(check("exit 1").code, 4);
  EXPECT_EQ(check("exit 2").code, 2);
  EXPECT_EQ(check("exit 70").code, 4);
  const Finished crashed = check("kill -SEGV $$");
  EXPECT_EQ(crashed.code, 4);
  EXPECT_THAT(crashed.err, HasSubstr("killed by signal 11"));
}

TEST_F(PluginCheck, PrintsTheKitsJson) {
  const Finished json =
      check(R"(echo said; while [ "$1" != --json ]; do shift; done; echo '{"ok":true}' > "$2")",
            {"--json"});
  EXPECT_EQ(json.code, 0) << json.err;
  EXPECT_EQ(json.out, "{\"ok\":true}\n") << "one document and nothing else";
  EXPECT_EQ(json.err, "said\n");
}

TEST_F(PluginCheck, PassesAnInterruptionOn) {
  folder_.write("tree/libexec/swapmq/swapmq-contract-kit",
                "#!/bin/sh\necho started\nexec sleep 60\n");
  ::chmod((folder_.path() + "/tree/libexec/swapmq/swapmq-contract-kit").c_str(), 0700);
  Process checking(folder_, {"plugin", "check", "memory"},
                   {.out = Stdout::pipe, .program = program_});
  EXPECT_EQ(checking.read_output(8), "started\n");
  checking.signal(15);
  EXPECT_EQ(checking.wait().code, 130);
}

} // namespace
} // namespace swapmq::program_test
