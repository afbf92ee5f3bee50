// SPDX-License-Identifier: MIT
//
// The journal's text: what is written is read, and what is not right is not taken.
#include "switch/record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

using swapmq::BacklogPolicy;
using swapmq::Errc;
using swapmq::switching::Record;
using swapmq::switching::record_from;
using swapmq::switching::to_json;
using testing::HasSubstr;

Record example() {
  Record record;
  record.generation = 18'446'744'073'709'551'615ULL;
  record.active = "rabbitmq-2";
  record.chain = {"sqlite-1", "rabbitmq-2"};
  record.visited = {"sqlite-1", "rabbitmq-2", "memory-3"};
  record.left = {{"memory-3", {{"tasks.dead", 7}}}};
  record.policies = {{"sqlite-1", BacklogPolicy::transfer}, {"memory-3", BacklogPolicy::leave}};
  record.strict = record.holds = true;
  record.before = "sqlite-b";
  record.refused_config = "abc";
  record.more_queues = true;
  record.queues = {"tasks", "a \"quoted\" one", "with/slash", "größer"};
  record.members = {{"sqlite-1", {"sqlite", R"({"path":"x"})", false}},
                    {"rabbitmq-2", {"rabbitmq", R"({"password":"***"})", true}},
                    {"memory-3", {"memory", "{}", false}}};
  return record;
}

std::string without(std::string json, const std::string& what, const std::string& by = "") {
  const std::size_t at = json.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return json.replace(at, what.size(), by);
}

TEST(Record, IsReadAsItWasWritten) {
  const Record record = example();
  const std::string json = to_json(record);
  EXPECT_EQ(json.find('\n'), std::string::npos);
  const auto read = record_from(json);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(*read, record);
}

TEST(Record, OneOfBeforeThereWerePoliciesDrainsInRelaxedOrder) {
  const std::string json = without(
      to_json(example()),
      R"("policies":{"memory-3":"leave","sqlite-1":"transfer"},"strict":true,"holds":true,)");
  const auto read = record_from(json);
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->policy("sqlite-1"), BacklogPolicy::drain);
  EXPECT_FALSE(read->strict);
  EXPECT_FALSE(read->holds);
}

TEST(Record, SaysWhatIsWrongWithOneThatIsNone) {
  const std::string good = to_json(example());
  const std::pair<std::string, std::string> bad[] = {
      {"", "empty"},
      {"[]", "not a JSON object"},
      {good.substr(0, good.size() / 2), ""},
      {without(good, R"("format":1)", R"("format":2)"), "\"format\" is not 1"},
      {without(good, R"("active":"rabbitmq-2",)"), "\"active\""},
      {without(good, R"("active":"rabbitmq-2")", R"("active":"sqlite-1")"), "not the last"},
      {without(good, R"("chain":["sqlite-1",)", R"("chain":["rabbitmq-2",)"), "twice"},
      {without(good, R"("chain":["sqlite-1",)", R"("chain":["else",)"), "among the visited"},
      {without(good, R"("memory-3":{"name")", R"("memory-4":{"name")"), "has no options"},
      {without(good, R"("sqlite-1":"transfer")", R"("sqlite-1":"sell")"), "\"policies\""},
      {without(good, R"("sqlite-1":"transfer")", R"("sqlite-9":"transfer")"), "has no options"},
      {without(good, R"("tasks.dead":7)", R"("tasks.dead":-7)"), "tasks.dead"},
      {without(good, R"("secret":true)", R"("secret":1)"), "\"members\""},
      {without(good, "with/slash", R"(with\nline)"), "control"},
  };
  for (const auto& [json, why] : bad) {
    const auto read = record_from(json);
    ASSERT_FALSE(read) << json;
    EXPECT_EQ(read.error().code(), Errc::corrupt);
    EXPECT_THAT(read.error().message(), HasSubstr(why)) << json;
  }
}

} // namespace
