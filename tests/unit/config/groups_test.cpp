// SPDX-License-Identifier: MIT
//
// Groups of queues: whose settings their queues have, and what is refused.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "fake_schemas.h"

namespace swapmq::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string with_queues(const std::string& queues) {
  return R"({"message_queue":{"type":"memory"},"queues":)" + queues + "}";
}

Config config_of(const std::string& queues) {
  return parse(with_queues(queues), "test", FakePlugins().lookup()).config.value();
}

TEST(ConfigGroups, WhatIsPublishedGoesToTheQueueOfEach) {
  const Config config = config_of(R"({"orders":{"groups":["billing","","m.a-i_l"]},"tasks":{}})");
  EXPECT_TRUE(config.has_groups());
  EXPECT_THAT(config.group_queues("orders"),
              ElementsAre("orders@billing", "orders", "orders@m.a-i_l"));
  EXPECT_THAT(config.group_queues("tasks"), IsEmpty());
  EXPECT_THAT(config.group_queues("unlisted"), IsEmpty());
  EXPECT_FALSE(config_of(R"({"tasks":{}})").has_groups());
}

TEST(ConfigGroups, TheirQueuesHaveTheSettingsOfTheirs) {
  const Config config =
      config_of(R"({"orders":{"groups":["billing","mail","own"],"max_deliveries":9,
      "max_length":7,"strict_order":true},"orders@own":{"max_deliveries":2}})");
  const QueueConfig mail = config.queue("orders@mail");
  EXPECT_EQ(mail.max_deliveries, 9U);
  EXPECT_EQ(mail.max_length, 7U);
  EXPECT_TRUE(mail.strict_order);
  EXPECT_EQ(mail.dead_letter_queue, "orders@mail.dead");
  EXPECT_THAT(mail.groups, IsEmpty());
  EXPECT_EQ(config.queue("orders@own").max_deliveries, 2U);
  EXPECT_EQ(config.queue("orders@own").max_length, 0U);
  EXPECT_EQ(config.queue("orders@nobody").max_deliveries, 4U); // as any queue
}

TEST(ConfigGroups, ADeadLetterQueueThatIsGivenIsForAllOfThem) {
  const Config config = config_of(R"({"orders":{"groups":["a"],"dead_letter_queue":"failed"}})");
  EXPECT_EQ(config.queue("orders@a").dead_letter_queue, "failed");
}

TEST(ConfigGroups, ARoleHasThem) {
  const Config config = config_of(R"({"@task":{"groups":["a"]}})");
  EXPECT_THAT(config.group_queues("tasks"), ElementsAre("tasks@a"));
  EXPECT_EQ(config.queue_name("@task@a"), "tasks@a");
  EXPECT_EQ(config.queue_name("@nobody@a"), "@nobody@a");
}

TEST(ConfigGroups, WhatCannotBeIsSaid) {
  const auto errors = [](const std::string& queues) { return errors_of(with_queues(queues)); };
  EXPECT_THAT(errors(R"({"q":{"groups":[]}})"), ElementsAre(HasSubstr("/queues/q/groups: ")));
  EXPECT_THAT(errors(R"({"q":{"groups":"a"}})"), ElementsAre(HasSubstr("expected an array")));
  EXPECT_THAT(errors(R"({"q":{"groups":["a","b","a"]}})"),
              ElementsAre(HasSubstr("/queues/q/groups")));
  EXPECT_THAT(errors(R"({"q":{"groups":["a@b"]}})"),
              ElementsAre(HasSubstr("/queues/q/groups/0: must match")));
  EXPECT_THAT(errors(R"({")" + std::string(250, 'q') + R"(":{"groups":["short","a"]}})"),
              ElementsAre(HasSubstr("/groups/0: queue name")));
}

TEST(ConfigGroups, DeadLettersAreKeptOnce) {
  const auto errors = [](const std::string& queues) { return errors_of(with_queues(queues)); };
  EXPECT_THAT(errors(R"({"q.dead":{"groups":["a"]}})"),
              ElementsAre(HasSubstr(R"(/queues/q.dead/groups: "q.dead" collects dead letters)")));
  EXPECT_THAT(errors(R"({"q":{"dead_letter_queue":"d"},"d":{"groups":["a"]}})"),
              ElementsAre(HasSubstr(R"(/queues/d/groups: "d" collects dead letters)")));
  EXPECT_THAT(errors(R"({"q":{"groups":["a"],"dead_letter_queue":"q@a"}})"),
              ElementsAre(HasSubstr("/queues/q/dead_letter_queue: dead letters of the group")));
}

TEST(ConfigGroups, AGroupHasNone) {
  EXPECT_THAT(
      errors_of(with_queues(R"({"q":{"groups":["a"]},"q@a":{"groups":["b"]}})")),
      ElementsAre(HasSubstr(R"(/queues/q@a/groups: "q@a" is the queue of a group of "q")")));
}

} // namespace
} // namespace swapmq::config
