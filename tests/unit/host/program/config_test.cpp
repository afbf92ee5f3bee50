// SPDX-License-Identifier: MIT
//
// swapmq config, what the environment and --set change, and what is made from the schemas.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "support.h"

namespace swapmq::program_test {
namespace {

namespace fs = std::filesystem;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string text_of(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

class ConfigCommands : public testing::Test {
 protected:
  Folder folder_;
};

TEST_F(ConfigCommands, EveryMistakeIsNamedAtItsPlace) {
  folder_.write("bad.json", R"({
  "message_queue": {
    "type": "sqlite",
    "sqlite": { "path": { "file": "nowhere" }, "lease_ms": "${SWAPMQ_NO_SUCH}" },
    "max_retries": "three"
  },
  "queue": {}
})");
  const Finished bad = run(folder_, {"config", "check", "bad.json", "--set", "log.levle=x"});
  EXPECT_EQ(bad.code, 3);
  EXPECT_THAT(
      lines_of(bad.err),
      testing::UnorderedElementsAre(
          StartsWith("--set log.levle: /log/levle: unknown key"),
          StartsWith("bad.json:4:25: /message_queue/sqlite/path: the file "),
          StartsWith("bad.json:4:60: /message_queue/sqlite/lease_ms: the environment has no"),
          StartsWith("bad.json:5:20: /message_queue/max_retries: expected an integer"),
          StartsWith("bad.json:7:3: /queue: unknown key \"queue\"; did you mean \"queues\"?")));
}

TEST_F(ConfigCommands, TheEnvironmentAndTheCommandLineChangeWhatCounts) {
  folder_.write("c.json", R"({"message_queue":{"type":"memory","sqlite":{"path":"./q.db"}}})");
  const How how{.environment = {"SWAPMQ_SET__message_queue__type=sqlite",
                                "SWAPMQ_SET__message_queue__max_retries=7"}};
  const Finished shown = run(folder_, {"config", "show", "c.json"}, how);
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_THAT(shown.out, HasSubstr("\"max_retries\": 7"));
  EXPECT_THAT(shown.out, HasSubstr("\"path\": \"" + folder_.path() + "/q.db\""));
  EXPECT_THAT(run(folder_, {"ping", "-c", "c.json"}, how).out, StartsWith("sqlite answered"));
  EXPECT_TRUE(fs::exists(folder_.path() + "/q.db"));
  EXPECT_THAT(run(folder_, {"ping", "-c", "c.json", "--set", "message_queue.type=memory"}, how).out,
              StartsWith("memory answered"));
  EXPECT_EQ(run(folder_, {"ping", "-c", "c.json", "--set", "nothing"}).code, 2);
  const Finished wrong = run(folder_, {"ping", "-c", "c.json", "--set", "message_queue.typ=x"});
  EXPECT_EQ(wrong.code, 3);
  EXPECT_THAT(wrong.err, StartsWith("--set message_queue.typ: /message_queue/typ: unknown key"));
}

TEST_F(ConfigCommands, RelativePathsBeginInTheFolderOfTheFile) {
  fs::create_directory(folder_.path() + "/etc");
  folder_.write("etc/c.json", R"({"message_queue":{"type":"sqlite","sqlite":{"path":"q.db"}}})");
  EXPECT_EQ(run(folder_, {"ping", "-c", "etc/c.json"}).code, 0);
  EXPECT_TRUE(fs::exists(folder_.path() + "/etc/q.db"));
}

TEST_F(ConfigCommands, SecretsAreNotShown) {
  folder_.write("secret", "hunter2\n");
  folder_.write("c.json", R"({"message_queue":{"url":"redis://ann:hunter2@h/${DB_TOKEN}",
      "redis_stream":{"password":{"file":"secret"}},"rabbitmq":{"password":"hunter2"}}})");
  const Finished shown =
      run(folder_, {"config", "show", "c.json"}, {.environment = {"DB_TOKEN=hunter2"}});
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_THAT(shown.out, Not(HasSubstr("hunter2")));
  EXPECT_THAT(shown.out, HasSubstr("\"file\": \"" + folder_.path() + "/secret\""));
}

TEST_F(ConfigCommands, ShowOfWhatIsWrongNamesTheErrors) {
  folder_.write("bad.json", R"({"message_queue":{"type":"sqlite","sqlite":{"pth":"x"}}})");
  const Finished shown = run(folder_, {"config", "show", "bad.json"});
  EXPECT_EQ(shown.code, 3);
  EXPECT_EQ(shown.out, "");
  EXPECT_THAT(shown.err, StartsWith("bad.json:1:"));
  EXPECT_THAT(run(folder_, {"config", "show"}).out, HasSubstr("./swapmq-data/queues.db"));
}

TEST_F(ConfigCommands, AKeyIsExplained) {
  const Finished one = run(folder_, {"config", "explain", "sqlite.lease_ms"});
  EXPECT_EQ(one.code, 0) << one.err;
  EXPECT_THAT(one.out, StartsWith("message_queue.sqlite.lease_ms\n  How long after"));
  EXPECT_THAT(one.out, ContainsRegex("type +integer, 1 to 86400000\n"));
  EXPECT_THAT(one.out, ContainsRegex("unit +ms\n"));
  EXPECT_THAT(one.out, ContainsRegex("default +30000\n"));
  EXPECT_THAT(one.out, HasSubstr("SWAPMQ_SET__message_queue__sqlite__lease_ms"));
  EXPECT_THAT(run(folder_, {"config", "explain", "/queues/NAME/max_length", "--json"}).out,
              HasSubstr(R"("default":0)"));
  EXPECT_THAT(run(folder_, {"config", "explain"}).out, ContainsRegex("message_queue.type +string"));
  const Finished several = run(folder_, {"config", "explain", "lease_ms"});
  EXPECT_EQ(several.code, 2);
  EXPECT_THAT(several.err, HasSubstr("\n  message_queue.redis_stream.lease_ms"));
  const Finished none = run(folder_, {"config", "explain", "max_retrys"});
  EXPECT_EQ(none.code, 2);
  EXPECT_THAT(none.err, HasSubstr("did you mean \"max_retries\"?"));
}

TEST_F(ConfigCommands, EveryKeyIsDescribedWhole) {
  const Finished all = run(folder_, {"config", "explain", "--json"});
  std::size_t keys = 0;
  for (std::size_t at = 0; (at = all.out.find("{\"key\":", at)) != std::string::npos; ++at) {
    const std::string one = all.out.substr(at, all.out.find("{\"key\":", at + 1) - at);
    ++keys;
    EXPECT_THAT(one, HasSubstr("\"since\":"));
    EXPECT_THAT(one, HasSubstr("\"example\":"));
    EXPECT_THAT(one, Not(HasSubstr("\"description\":\"\"")));
  }
  EXPECT_GE(keys, 100U);
}

/// Made anew by `swapmq config schema` and `swapmq config explain --markdown` where this fails.
TEST_F(ConfigCommands, WhatIsMadeFromTheSchemasIsThatOfNow) {
  const fs::path examples = SWAPMQ_EXAMPLES;
  EXPECT_EQ(run(folder_, {"config", "schema"}).out, text_of(examples / "schema.json"));
  EXPECT_EQ(run(folder_, {"config", "explain", "--markdown"}).out,
            text_of(examples / "reference.md"));
}

TEST_F(ConfigCommands, TheExamplesAreRight) {
  int seen = 0;
  for (const auto& entry : fs::directory_iterator(SWAPMQ_EXAMPLES)) {
    if (entry.path().extension() != ".json" || entry.path().stem() == "schema") continue;
    const Finished checked = run(folder_, {"config", "check", entry.path()});
    EXPECT_EQ(checked.code, 0) << checked.err;
    ++seen;
  }
  EXPECT_GE(seen, 5);
}

TEST_F(ConfigCommands, QueuesAreNamedByRole) {
  folder_.write("c.json", R"({"message_queue":{"url":"sqlite:q.db","task_queue":"jobs"}})");
  EXPECT_EQ(run(folder_, {"publish", "@task", "-c", "c.json"}, {.input = "x"}).code, 0);
  EXPECT_EQ(run(folder_, {"queue", "list", "-c", "c.json"}).out, "jobs\n");
  EXPECT_EQ(run(folder_, {"consume", "@task", "--max", "1", "-c", "c.json"}).out, "x\n");
  EXPECT_THAT(run(folder_, {"publish", "@tsak", "-c", "c.json"}, {.input = "x"}).err,
              HasSubstr("as only roles do"));
}

} // namespace
} // namespace swapmq::program_test
