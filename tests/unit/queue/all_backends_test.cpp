// SPDX-License-Identifier: MIT
//
// Looking at and managing a queue of which a part still lies on the backend that was left.
#include <gmock/gmock.h>

#include <filesystem>

#include "support.h"

namespace {

namespace fs = std::filesystem;
using namespace test;
using swapmq::Errc;
using swapmq::Message;
using swapmq::MessageQueue;
using swapmq::Precision;
using swapmq::SwitchPhase;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::UnorderedElementsAre;

class AllBackends : public testing::Test {
 protected:
  AllBackends() : folder_((fs::temp_directory_path() / "swapmq-all-XXXXXX").string()) {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
  }
  ~AllBackends() override { fs::remove_all(folder_); }

  [[nodiscard]] std::string database() const { return folder_ + "/queues.db"; }
  [[nodiscard]] MessageQueue open(const std::string& type, const std::string& more = "") const {
    return std::move(MessageQueue::try_open_text(
                         R"({"message_queue":{"type":")" + type + R"(","memory":{"name":")" +
                             folder_ + R"("},"sqlite":{"path":")" + database() +
                             R"("},"scripted":{}},"plugin_path":[")" + TEST_BACKENDS +
                             R"("],"log":{"level":"off"})" + more + "}",
                         "test"))
        .value();
  }
  [[nodiscard]] std::string state_dir() const {
    return R"(,"state_dir":")" + folder_ + R"(/state")";
  }
  /// What was left is owed, or only watched.
  static void turn_to(MessageQueue& mq, const std::string& type, SwitchPhase awaited) {
    ASSERT_TRUE(mq.switch_to(type, {.allow_capability_loss = true}));
    ASSERT_TRUE(eventually([&] { return mq.switch_status().phase == awaited; }))
        << mq.switch_status().error.message();
    ASSERT_EQ(mq.backend_name(), type);
  }

  std::string folder_;
};

TEST_F(AllBackends, SizesAreSums) {
  auto mq = open("sqlite");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(mq.publish("tasks", "old"));
  ASSERT_TRUE(mq.publish("tasks", Message{.body = "old", .delay = 1h}));
  ASSERT_TRUE(mq.publish("held", "old"));
  auto subscription = mq.subscribe("held");
  const auto held = subscription->receive(1, 5s).value();
  ASSERT_EQ(held.size(), 1U);
  turn_to(mq, "memory", SwitchPhase::drain);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(mq.publish("tasks", "new"));
  ASSERT_TRUE(mq.publish("tasks", Message{.body = "new", .delay = 1h}));
  const auto stats = mq.stats("tasks").value();
  EXPECT_EQ(stats.ready, 5U);
  EXPECT_EQ(stats.delayed, 2U);
  EXPECT_TRUE(stats.exists);
  EXPECT_EQ(stats.ready_precision, Precision::exact);
  EXPECT_EQ(stats.delayed_precision, Precision::exact);
  EXPECT_EQ(mq.stats("held")->unacked, 1U);
  EXPECT_EQ(*mq.size("tasks"), 5U);
  EXPECT_FALSE(mq.stats("nobody's")->exists);
}

TEST_F(AllBackends, APrecisionIsTheWorst) {
  auto mq = open("scripted");
  ASSERT_TRUE(mq.publish("blind", "old"));
  turn_to(mq, "memory", SwitchPhase::drain);
  ASSERT_TRUE(mq.publish("blind", "new"));
  const auto stats = mq.stats("blind").value();
  EXPECT_EQ(stats.ready, 2U);
  EXPECT_EQ(stats.ready_precision, Precision::exact);
  EXPECT_EQ(stats.unacked_precision, Precision::unknown);
}

TEST_F(AllBackends, PurgingAndDeletingReachEachOfThem) {
  auto mq = open("sqlite");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(mq.publish("tasks", "old"));
  ASSERT_TRUE(mq.publish("others", "keeps it owed"));
  turn_to(mq, "memory", SwitchPhase::drain);
  ASSERT_TRUE(mq.publish("tasks", "new"));
  EXPECT_EQ(*mq.purge("tasks"), 4U);
  EXPECT_EQ(*mq.size("tasks"), 0U);
  EXPECT_TRUE(open("sqlite").stats("tasks")->exists);
  EXPECT_FALSE(mq.delete_queue("tasks"));
  EXPECT_FALSE(mq.stats("tasks")->exists);
  EXPECT_FALSE(open("sqlite").stats("tasks")->exists);
  EXPECT_EQ(*open("sqlite").size("others"), 1U);
}

TEST_F(AllBackends, TheirQueuesAreListedOnce) {
  auto mq = open("sqlite");
  ASSERT_TRUE(mq.publish("tasks", "keeps it owed"));
  turn_to(mq, "memory", SwitchPhase::drain);
  ASSERT_FALSE(open("sqlite").create_queue("there"));
  ASSERT_FALSE(mq.create_queue("here"));
  EXPECT_FALSE(open("sqlite").stats("here")->exists) << "made on the active one alone";
  const auto names = mq.list_queues().value();
  EXPECT_EQ(std::count(names.begin(), names.end(), "tasks"), 1);
  EXPECT_THAT(std::set(names.begin(), names.end()),
              UnorderedElementsAre("tasks", "tasks.dead", "here", "there"));
}

TEST_F(AllBackends, WhatLiesOnEachOfThemIsShown) {
  auto mq = open("sqlite");
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(mq.publish("tasks", "old"));
  turn_to(mq, "memory", SwitchPhase::drain);
  ASSERT_TRUE(mq.publish("tasks", "new"));
  std::vector<std::string> bodies;
  for (const auto& shown : mq.peek("tasks", 3).value()) bodies.emplace_back(shown.body());
  EXPECT_EQ(bodies, (std::vector<std::string>{"new", "old", "old"}));
}

TEST_F(AllBackends, WhereOneThatIsOwedDoesNotAnswerThatIsTheError) {
  auto mq = open("scripted");
  ASSERT_FALSE(mq.create_queue("down"));
  const auto unsent = mq.publish("down", "x", {.timeout = 10ms});
  ASSERT_FALSE(unsent);
  turn_to(mq, "memory", SwitchPhase::drain);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(mq.publish("down", "new"));
  for (const auto& error : {mq.stats("down").error(), mq.size("down").error()}) {
    EXPECT_EQ(error.code(), Errc::unavailable);
    EXPECT_TRUE(error.retryable());
    EXPECT_THAT(error.message(), testing::MatchesRegex("scripted-[0-9a-f]+: .*nobody answers.*"));
  }
  EXPECT_EQ(mq.list_queues().error().code(), Errc::not_supported);
}

TEST_F(AllBackends, APurgeThatFailsOnOneSaysWhatWasRemovedFromTheOthers) {
  auto mq = open("scripted");
  ASSERT_TRUE(mq.publish("tasks", "old"));
  turn_to(mq, "memory", SwitchPhase::drain);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(mq.publish("tasks", "new"));
  const auto failed = mq.purge("tasks");
  EXPECT_EQ(failed.error().code(), Errc::not_supported);
  EXPECT_THAT(failed.error().message(),
              testing::MatchesRegex(
                  "scripted-[0-9a-f]+: .*no purge here.*; removed: 2 from memory-[0-9a-f]+"));
  EXPECT_EQ(mq.stats("tasks")->ready, 1U) << "the others were purged all the same";
}

TEST_F(AllBackends, OneThatIsOnlyWatchedMayBeSilent) {
  auto mq = open("scripted");
  turn_to(mq, "memory", SwitchPhase::retired);
  ASSERT_TRUE(mq.publish("down", "new"));
  const auto stats = mq.stats("down").value();
  EXPECT_EQ(stats.ready, 1U);
  EXPECT_EQ(stats.ready_precision, Precision::approximate);
  EXPECT_EQ(stats.unacked_precision, Precision::approximate);
  EXPECT_EQ(stats.delayed_precision, Precision::approximate);
  ASSERT_TRUE(mq.publish("up", "new"));
  EXPECT_EQ(mq.stats("up")->ready_precision, Precision::exact) << "it does answer for that one";
  EXPECT_THAT(*mq.list_queues(), testing::Contains("up"));
}

TEST_F(AllBackends, OneThatCouldNotBeOpenedIsNamedUntilItIsForgotten) {
  {
    auto mq = open("sqlite", state_dir());
    ASSERT_TRUE(mq.publish("tasks", "owed"));
    turn_to(mq, "memory", SwitchPhase::drain);
  }
  fs::rename(database(), database() + ".away");
  fs::create_directory(database());
  auto mq = open("memory", state_dir());
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(mq.publish("tasks", "new"));
  ASSERT_TRUE(eventually([&] {
    for (const auto& one : mq.switch_status().backends) {
      if (one.name == "sqlite") return one.missing && one.error;
    }
    return false;
  }));
  const auto stats = mq.stats("tasks");
  EXPECT_THAT(stats.error().message(),
              AllOf(testing::StartsWith("sqlite-"), HasSubstr("queues.db")));
  EXPECT_THAT(mq.purge("tasks").error().message(),
              AllOf(testing::StartsWith("sqlite-"), HasSubstr("; removed: 2 from memory-")));
  EXPECT_THAT(mq.delete_queue("tasks").message(), HasSubstr("; deleted on memory-"));
  ASSERT_FALSE(mq.forget("sqlite", true));
  ASSERT_TRUE(eventually([&] { return mq.switch_status().backends.size() == 1; }));
  ASSERT_TRUE(mq.publish("tasks", "new"));
  EXPECT_EQ(mq.stats("tasks")->ready, 1U);
  EXPECT_THAT(mq.stats("").error().message(), Not(HasSubstr("memory-"))) << "there is one alone";
}

} // namespace
