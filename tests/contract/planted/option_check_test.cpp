// SPDX-License-Identifier: MIT
#include "option_check.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace {

using swapmq::contract::check_options;
using swapmq::contract::CheckedOptions;

constexpr char kSchema[] =
    R"({"type":"object","additionalProperties":false,"required":["path"],"properties":{)"
    R"("path":{"type":"string","x-swapmq-path":true},"password":{"type":"string"}}})";

using Wrong = std::vector<std::string>;

TEST(OptionCheck, SaysEachMistakeAndWhere) {
  EXPECT_EQ(check_options(R"({"path":"/a","pasword":"x"})", kSchema).wrong,
            Wrong{"/pasword: unknown key \"pasword\"; did you mean \"password\"?"});
  EXPECT_EQ(check_options("{}", kSchema).wrong, Wrong{"missing key \"path\""});
  EXPECT_EQ(check_options("[]", kSchema).wrong, Wrong{"must be a JSON object"});
  EXPECT_EQ(check_options("{", kSchema).wrong.size(), 1u);
  EXPECT_EQ(check_options("", kSchema).wrong.size(), 1u);
}

TEST(OptionCheck, GivesThemAsAHostPassesThem) {
  const std::string secret = testing::TempDir() + "secret-" + std::to_string(getpid());
  std::ofstream(secret) << "s3cret\n";
  const CheckedOptions checked =
      check_options(R"({"path":"q.db","password":{"file":")" + secret + "\"}}", kSchema);
  std::filesystem::remove(secret);
  EXPECT_EQ(checked.wrong, Wrong{});
  EXPECT_EQ(checked.json, R"({"path":")" + std::filesystem::current_path().string() +
                              R"(/q.db","password":"s3cret"})");
  EXPECT_EQ(check_options(checked.json, kSchema).json, checked.json) << "it is so for good";
}

TEST(OptionCheck, ASchemaThatCannotBeUsedIsThePluginsFault) {
  EXPECT_NE(check_options("{}", R"({"type":"thing"})").schema_error, "");
  EXPECT_EQ(check_options("{\"a\": 1}", "").json, "{\"a\": 1}") << "none: a test finds that";
}

} // namespace
