// SPDX-License-Identifier: MIT
//
// The example configs are right, and say what they are named for.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>

#include "fake_schemas.h"

namespace swapmq::config {
namespace {

const std::filesystem::path kFolder = SWAPMQ_EXAMPLES;

TEST(ConfigExamples, AreAllRight) {
  FakePlugins plugins;
  plugins.install("rabbitmq", R"({ "type": "object", "required": ["url"] })");
  int seen = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    const std::string name = entry.path().filename();
    if (entry.path().extension() != ".json" || name == "schema.json") continue;
    const Parsed parsed = parse_file(entry.path(), plugins.lookup());
    EXPECT_THAT(lines_of(parsed.errors), testing::IsEmpty()) << name;
    ++seen;
  }
  EXPECT_GE(seen, 3);
}

TEST(ConfigExamples, OnePerEmbeddedBackendAndOneForASwitch) {
  FakePlugins plugins;
  EXPECT_EQ(parse_file(kFolder / "memory.json", plugins.lookup()).config.value().type, "memory");
  const Config sqlite = parse_file(kFolder / "sqlite.json", plugins.lookup()).config.value();
  EXPECT_EQ(sqlite.type, "sqlite");
  const Config both = parse_file(kFolder / "switch.json", plugins.lookup()).config.value();
  EXPECT_THAT(both.options, testing::SizeIs(testing::Ge(2)));
  EXPECT_TRUE(both.options.contains(both.type));
}

} // namespace
} // namespace swapmq::config
