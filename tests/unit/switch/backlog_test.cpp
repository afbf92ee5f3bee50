// SPDX-License-Identifier: MIT
//
// What becomes of the messages that lie on the backend that is left: drained, moved, left alone,
// and seen where nobody consumes them.
#include <gmock/gmock.h>

#include <map>

#include "switch/three_backends.h"

namespace {

using namespace test;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using std::chrono::system_clock;
using swapmq::BacklogPolicy;
using swapmq::Delivery;
using swapmq::Errc;
using swapmq::Message;
using swapmq::MessageQueue;
using swapmq::SwitchOptions;
using swapmq::SwitchOrder;
using swapmq::SwitchPhase;
using swapmq::SwitchStatus;
using testing::HasSubstr;

constexpr SwitchOptions transfer{.allow_capability_loss = true, .policy = BacklogPolicy::transfer};
constexpr SwitchOptions leave{.allow_capability_loss = true, .policy = BacklogPolicy::leave};

class SwitchBacklog : public ThreeBackends {
 protected:
  /// Rejects what is there of "tasks", one message.
  static void dead_letter_one(MessageQueue& mq) {
    auto consumer = mq.consume("tasks", {}, [](const Delivery&) { return swapmq::reject("no"); });
    ASSERT_TRUE(eventually([&] { return *mq.size("tasks.dead") == 1; }));
  }
  /// What a message carries that was moved from memory to sqlite.
  std::string trail_from_memory() {
    auto mq = open("memory");
    EXPECT_TRUE(mq.publish("tasks", "traveller"));
    EXPECT_EQ(switched(mq, "sqlite", transfer).phase, SwitchPhase::retired);
    auto subscription = mq.subscribe("tasks");
    const auto got = subscription->receive(1, 5s).value();
    const std::string trail(got.at(0).header("swapmq-moved-from").value_or(""));
    got[0].ack();
    EXPECT_FALSE(got[0].wait_settled(5s));
    return trail;
  }
  /// Carries to sqlite what is moved from there to memory, as an opposite host does.
  void expect_longer_and_longer_pauses(milliseconds time, milliseconds until_it_returns) {
    const std::string trail = trail_from_memory();
    auto mq = open("sqlite");
    ASSERT_TRUE(mq.publish("held", "so that the switch goes on"));
    auto other = open("sqlite");
    auto holder = other.subscribe("held");
    const auto held = holder->receive(1, 5s).value();
    ASSERT_EQ(held.size(), 1U);
    ASSERT_TRUE(mq.publish("tasks", "first"));
    ASSERT_TRUE(mq.switch_to("memory", transfer));
    auto there = open("memory");
    auto subscription = there.subscribe("tasks");
    int carried = -1; // the first one was not carried back before
    const auto until = steady_clock::now() + time;
    while (steady_clock::now() < until) {
      for (const Delivery& delivery : subscription->receive(1, 100ms).value()) {
        ++carried;
        std::this_thread::sleep_for(until_it_returns); // its way, not a wait of ours
        const swapmq::Header header{"swapmq-moved-from", trail};
        const Message back{.body = "body", .id = "the-id", .headers = {&header, 1}};
        ASSERT_TRUE(other.publish("tasks", back));
        delivery.ack();
      }
    }
    EXPECT_GE(carried, 2) << "it does not give up";
    EXPECT_LE(carried, 4) << "after 0.5, 1, 2 and 4 seconds at the least";
    EXPECT_EQ(mq.switch_status().phase, SwitchPhase::drain);
  }
};

TEST_F(SwitchBacklog, TransferMovesWhatIsReadyWithAllThatBelongsToIt) {
  auto mq = open("sqlite");
  const swapmq::Header header{"colour", std::string_view("r\0d", 3)};
  ASSERT_TRUE(mq.publish("tasks", Message{.body = "body",
                                          .id = "the-id",
                                          .headers = {&header, 1},
                                          .priority = 3,
                                          .ordering_key = "key",
                                          .correlation_id = "correlation",
                                          .reply_to = "answers",
                                          .content_type = "text/plain"}));
  system_clock::time_point published;
  {
    auto subscription = mq.subscribe("tasks");
    const auto first = subscription->receive(1, 5s).value();
    ASSERT_EQ(first.size(), 1U);
    published = first[0].timestamp();
    first[0].nack(0ms, "once");
    ASSERT_FALSE(first[0].wait_settled(5s));
  }
  const SwitchStatus status = switched(mq, "memory", transfer);
  ASSERT_EQ(status.phase, SwitchPhase::retired) << status.error.message();
  EXPECT_EQ(backend(status, "sqlite").moved, 1U);
  EXPECT_EQ(*open("sqlite").size("tasks"), 0U);
  auto other = open("memory"); // the same store: nothing is left to consume but there
  auto subscription = other.subscribe("tasks");
  const auto got = subscription->receive(1, 5s).value();
  ASSERT_EQ(got.size(), 1U);
  const Delivery& moved = got[0];
  EXPECT_EQ(moved.body(), "body");
  EXPECT_EQ(moved.id(), "the-id");
  EXPECT_EQ(moved.header("colour"), std::string_view("r\0d", 3));
  EXPECT_THAT(std::string(moved.header("swapmq-moved-from").value_or("")),
              testing::StartsWith("sqlite-"));
  EXPECT_EQ(moved.headers().size(), 2U);
  EXPECT_EQ(moved.priority(), 3U);
  EXPECT_EQ(moved.ordering_key(), "key");
  EXPECT_EQ(moved.correlation_id(), "correlation");
  EXPECT_EQ(moved.reply_to(), "answers");
  EXPECT_EQ(moved.content_type(), "text/plain");
  EXPECT_EQ(moved.timestamp(), published);
  EXPECT_EQ(moved.delivery_count(), 2U) << "the nack counts, the move does not";
}

TEST_F(SwitchBacklog, TransferMovesDelayedAndDeadLetteredMessagesToo) {
  auto mq = open("sqlite");
  ASSERT_TRUE(mq.publish("tasks", "bad"));
  dead_letter_one(mq);
  const auto published = steady_clock::now();
  ASSERT_TRUE(mq.publish("tasks", Message{.body = "later", .id = "later-id", .delay = 3s}));
  const SwitchStatus status = switched(mq, "memory", transfer);
  ASSERT_EQ(status.phase, SwitchPhase::retired) << status.error.message();
  EXPECT_LT(steady_clock::now() - published, 3s) << "it did not wait for what is delayed";
  EXPECT_EQ(backend(status, "sqlite").moved, 2U);
  EXPECT_TRUE(backend(status, "sqlite").left.empty());
  auto there = open("memory");
  EXPECT_EQ(there.stats("tasks")->delayed, 1U);
  auto dead = there.subscribe("tasks.dead");
  const auto letters = dead->receive(1, 5s).value();
  ASSERT_EQ(letters.size(), 1U);
  EXPECT_EQ(letters[0].header("swapmq-dead-letter-reason"), "no");
  auto subscription = there.subscribe("tasks");
  const auto later = subscription->receive(1, 10s).value();
  ASSERT_EQ(later.size(), 1U);
  EXPECT_EQ(later[0].id(), "later-id");
  EXPECT_GE(steady_clock::now() - published, 3s - 20ms);
}

TEST_F(SwitchBacklog, TransferUnderLoadLosesAndDoublesNothing) {
  auto mq = open("sqlite");
  constexpr std::size_t before = 4000;
  std::vector<std::string> bodies;
  for (std::size_t i = 0; i < before; ++i) bodies.push_back(std::to_string(i));
  std::vector<Message> messages;
  for (const std::string& body : bodies) messages.push_back({.body = body});
  for (const auto& sent : mq.publish_many("tasks", messages)) ASSERT_TRUE(sent);
  std::mutex mutex;
  std::map<std::string, int> got;
  auto consumer = mq.consume("tasks", {.prefetch = 32, .concurrency = 2}, [&](const Delivery& d) {
    const std::lock_guard lock(mutex);
    ++got[std::string(d.body())];
    return swapmq::ack();
  });
  std::atomic<bool> stop{false};
  std::size_t during = 0;
  std::thread publisher([&] {
    while (!stop) {
      ASSERT_TRUE(mq.publish("tasks", "more-" + std::to_string(during)));
      ++during;
    }
  });
  const SwitchStatus status = switched(mq, "memory", transfer);
  stop = true;
  publisher.join();
  EXPECT_EQ(status.phase, SwitchPhase::retired) << status.error.message();
  EXPECT_GT(backend(status, "sqlite").moved, 0U);
  EXPECT_EQ(metric(mq, "swapmq_switch_moved_total", {{"backend", "sqlite"}}),
            static_cast<double>(backend(mq.switch_status(), "sqlite").moved));
  EXPECT_TRUE(eventually([&] {
    const std::lock_guard lock(mutex);
    return got.size() == before + during;
  }));
  for (const auto& [body, times] : got) EXPECT_EQ(times, 1) << body;
}

TEST_F(SwitchBacklog, WhatAnotherHostCarriesBackAtOnceIsMovedAfterLongerAndLongerPauses) {
  expect_longer_and_longer_pauses(5s, 0ms);
}

TEST_F(SwitchBacklog, WhatAnotherHostCarriesBackLaterIsMovedAfterLongerAndLongerPauses) {
  expect_longer_and_longer_pauses(8s, 200ms);
}

TEST_F(SwitchBacklog, WhatIsLeftAloneStaysAndIsNamed) {
  {
    auto mq = open_durable("sqlite");
    ASSERT_TRUE(mq.publish("tasks", "bad"));
    dead_letter_one(mq);
    auto subscription = mq.subscribe("tasks");
    ASSERT_TRUE(mq.publish("tasks", "held"));
    const auto held = subscription->receive(1, 5s).value();
    ASSERT_EQ(held.size(), 1U);
    ASSERT_TRUE(mq.publish("others", "stays"));
    ASSERT_TRUE(mq.switch_to("memory", leave));
    EXPECT_EQ(mq.wait_for_switch(500ms).phase, SwitchPhase::drain)
        << "what was handed out is settled where it came from";
    held[0].ack();
    EXPECT_FALSE(held[0].wait_settled(5s));
    const SwitchStatus status = mq.wait_for_switch(10s);
    EXPECT_EQ(status.phase, SwitchPhase::retired);
    EXPECT_FALSE(backend(status, "sqlite").watched);
    EXPECT_EQ(backend(status, "sqlite").left,
              (std::map<std::string, std::uint64_t>{{"others", 1}, {"tasks.dead", 1}}));
    auto others = mq.subscribe("others");
    ASSERT_TRUE(mq.publish("others", "here"));
    EXPECT_EQ(take_all(*others, 1), std::set<std::string>{"here"});
    EXPECT_TRUE(others->receive(1, 300ms)->empty());
  }
  auto mq = open_durable("memory");
  EXPECT_FALSE(backend(mq.switch_status(), "sqlite").watched) << "nor after a restart";
  auto others = mq.subscribe("others");
  EXPECT_TRUE(others->receive(1, 1s)->empty());
  EXPECT_TRUE(mq.roll_back()) << "it is still the one before";
  EXPECT_EQ(take_all(*others, 1), std::set<std::string>{"stays"});
}

TEST_F(SwitchBacklog, WhatWasLeftAloneCanBeForgotten) {
  auto mq = open("sqlite");
  ASSERT_TRUE(mq.publish("tasks", "stays"));
  EXPECT_EQ(switched(mq, "memory", leave).phase, SwitchPhase::retired);
  EXPECT_EQ(mq.switch_status().backends.size(), 2U);
  EXPECT_FALSE(mq.forget("sqlite"));
  EXPECT_TRUE(eventually([&] { return mq.switch_status().backends.size() == 1; }));
  EXPECT_EQ(*open("sqlite").size("tasks"), 1U);
}

TEST_F(SwitchBacklog, WhatNobodyConsumesIsMovedAfterAWhile) {
  auto mq = std::move(try_open("sqlite", R"(,"switch":{"stranded_timeout_seconds":1})")).value();
  ASSERT_TRUE(mq.publish("produced", "stranded"));
  const auto asked = steady_clock::now();
  const SwitchStatus status = switched(mq, "memory");
  EXPECT_EQ(status.phase, SwitchPhase::retired) << status.error.message();
  EXPECT_GE(steady_clock::now() - asked, 1s) << "somebody else had the time to come for it";
  EXPECT_EQ(backend(status, "sqlite").moved, 1U);
  EXPECT_EQ(*open("memory").size("produced"), 1U);
  // Another host did not hear of the switch.
  ASSERT_TRUE(open("sqlite").publish("produced", "late"));
  EXPECT_TRUE(eventually([&] { return *open("memory").size("produced") == 2; }));
}

TEST_F(SwitchBacklog, WhatSomebodyTakesIsNotMoved) {
  auto mq = std::move(try_open("sqlite", R"(,"switch":{"stranded_timeout_seconds":1})")).value();
  for (int i = 0; i < 30; ++i) ASSERT_TRUE(mq.publish("produced", std::to_string(i)));
  auto other = open("sqlite");
  auto subscription = other.subscribe("produced", {.prefetch = 1});
  ASSERT_TRUE(mq.switch_to("memory", any_loss));
  for (int i = 0; i < 30; ++i) {
    const auto one = subscription->receive(1, 5s).value();
    ASSERT_EQ(one.size(), 1U);
    EXPECT_EQ(one[0].body(), std::to_string(i));
    std::this_thread::sleep_for(100ms); // slow, but alive
    one[0].ack();
  }
  const SwitchStatus status = mq.wait_for_switch(10s);
  EXPECT_EQ(status.phase, SwitchPhase::retired);
  EXPECT_EQ(backend(status, "sqlite").moved, 0U);
}

TEST_F(SwitchBacklog, OthersThatPublishToTheBackendThatWasLeftAreNoticed) {
  auto mq = open("sqlite");
  auto subscription = mq.subscribe("tasks");
  auto other = open("sqlite");
  ASSERT_TRUE(mq.switch_to("memory", any_loss));
  int sent = 0;
  ASSERT_TRUE(eventually([&] {
    EXPECT_TRUE(other.publish("others", std::to_string(sent++)));
    EXPECT_TRUE(other.publish("tasks", "x"));
    std::this_thread::sleep_for(20ms);
    return mq.switch_status().crossed;
  }));
  EXPECT_EQ(mq.switch_status().phase, SwitchPhase::drain);
}

TEST_F(SwitchBacklog, ADrainThatTakesTooLongSaysSoAndGoesOn) {
  auto mq = open("sqlite");
  ASSERT_TRUE(mq.publish("tasks", "owed"));
  SwitchOptions hasty = any_loss;
  hasty.drain_timeout = 200ms;
  ASSERT_TRUE(mq.switch_to("memory", hasty));
  ASSERT_TRUE(eventually([&] { return mq.switch_status().error.code() == Errc::timeout; }));
  EXPECT_THAT(mq.switch_status().error.message(), HasSubstr("still drains"));
  EXPECT_EQ(mq.switch_status().phase, SwitchPhase::drain);
  auto subscription = mq.subscribe("tasks");
  EXPECT_EQ(take_all(*subscription, 1).size(), 1U);
  const SwitchStatus status = mq.wait_for_switch(10s);
  EXPECT_EQ(status.phase, SwitchPhase::retired);
  EXPECT_FALSE(status.error) << status.error.message();
}

} // namespace
