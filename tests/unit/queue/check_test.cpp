// SPDX-License-Identifier: MIT
//
// check_config against the plugins of the tree: each section is judged by the schema that its own
// plugin carries, the active one or not.
#include <filesystem>
#include <fstream>

#include "support.h"

namespace {

using swapmq::ConfigError;
using swapmq::Errc;

class Check : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "swapmq-check-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::vector<ConfigError> check(std::string_view text) {
    const std::string path = folder_ / "swapmq.json";
    std::ofstream(path) << text;
    return swapmq::check_config(path);
  }

  std::filesystem::path folder_;
};

TEST_F(Check, NothingIsWrongWithBothSections) {
  const auto found = check(R"({ "message_queue": { "type": "sqlite",
    "sqlite": { "path": "queues.db" }, "memory": { "max_bytes": 1048576 } } })");
  EXPECT_TRUE(found.empty()) << found.front().to_string();
}

TEST_F(Check, EachSectionIsJudgedByItsPlugin) {
  const auto found = check(
      "{ \"message_queue\": { \"type\": \"sqlite\",\n"
      "  \"sqlite\": { \"path\": \"q.db\", \"pathh\": \"q.db\" },\n"
      "  \"memory\": { \"max_bytes\": \"much\" } } }\n");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].line, 2U);
  EXPECT_EQ(found[0].pointer, "/message_queue/sqlite/pathh");
  EXPECT_NE(found[0].message.find("\"path\""), std::string::npos) << found[0].message;
  EXPECT_EQ(found[1].line, 3U);
  EXPECT_EQ(found[1].pointer, "/message_queue/memory/max_bytes");
  EXPECT_EQ(found[1].code, Errc::config);
}

TEST_F(Check, AnActivePluginThatIsNotThereIsThePluginsFault) {
  const auto found = check(R"({ "message_queue": { "type": "nosuch" } })");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].code, Errc::plugin);
  EXPECT_EQ(found[0].pointer, "/message_queue/type");
}

TEST_F(Check, AFileThatIsNotThere) {
  const auto found = swapmq::check_config(folder_ / "none.json");
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].line, 0U);
  EXPECT_EQ(found[0].code, Errc::config);
}

} // namespace
