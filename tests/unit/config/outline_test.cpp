// SPDX-License-Identifier: MIT
//
// Where a config leads, found also in one that is wrong.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "../../support/temporary_folder.hpp"
#include "config/config.h"

namespace swapmq {
namespace {

class OutlineOfAConfig : public testing::Test {
 protected:
  ConfigOutline outline(const std::string& text,
                        const std::vector<ConfigOverride>& overrides = {}) {
    folder_.write("swapmq.json", text);
    return outline_config(path(), overrides).value();
  }
  /// Without the folder.
  std::string state_dir(const std::string& text) {
    const std::string found = outline(text).state_dir;
    return found.starts_with(folder_ / "") ? found.substr((folder_ / "").size()) : found;
  }
  std::string path() const { return folder_ / "swapmq.json"; }

  test::TemporaryFolder folder_;
};

TEST_F(OutlineOfAConfig, IsFoundWhateverElseIsWrong) {
  const ConfigOutline found = outline(
      R"({"message_queue":{"type":"x","max_retries":"no"},"plugin_path":["a",7,"/b"],"odd":1})");
  EXPECT_EQ(found.type, "x");
  EXPECT_THAT(found.plugin_path, testing::ElementsAre(folder_ / "a", "/b"));
  for (const char* text : {"", "[]", "7", "{", R"({"message_queue":7,"plugin_path":7})",
                           R"({"message_queue":{"type":7}})"}) {
    EXPECT_EQ(outline(text).type, "") << text;
  }
  EXPECT_EQ(outline(std::string(1'000'000, '[')).type, "");
}

TEST_F(OutlineOfAConfig, TheStateDirIsFoundInWhatIsNoJson) {
  EXPECT_EQ(state_dir(R"({"state_dir": "a"})"), "a");
  EXPECT_EQ(state_dir(R"({"message_queue": {"type": }, "state_dir" : "a \"b\"", )"), "a \"b\"");
  EXPECT_EQ(state_dir("{,\"state_dir\":\n\t\"/a\""), "/a");
  for (const char* text : {"{", "{\"state_dir\"", "{\"state_dir\":7,", "{\"state_dir\": \"a"}) {
    EXPECT_EQ(state_dir(text), "") << text;
  }
}

TEST_F(OutlineOfAConfig, OverridesAndVariablesCount) {
  const std::string text = R"({"message_queue":{"url":"redis://a"},"state_dir":"${NO_SUCH:-s}"})";
  EXPECT_EQ(outline(text).type, "redis_stream");
  EXPECT_EQ(state_dir(text), "s");
  EXPECT_EQ(outline(text, {{"state_dir", "/other"}}).state_dir, "/other");
  EXPECT_EQ(outline_config(path(), {{"", "x"}}).error().code(), Errc::config);
}

TEST_F(OutlineOfAConfig, OfNoFileIsAnError) {
  EXPECT_THAT(outline_config(folder_ / "none").error().message(),
              testing::HasSubstr("/none: cannot be found"));
  EXPECT_EQ(outline_config("").value().type, "sqlite") << "the embedded default";
}

} // namespace
} // namespace swapmq
