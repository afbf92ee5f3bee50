// SPDX-License-Identifier: MIT
//
// For programs that must not wait: publishing many at once, being told of what can be received and
// of what was settled, and taking no more from the broker than was asked for.
#include <gmock/gmock.h>

#include "support.h"

namespace {

using namespace test;
using swapmq::Delivery;
using swapmq::Errc;
using swapmq::Error;
using swapmq::Message;
using swapmq::Outcome;
using swapmq::Sent;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;

/// What a callback was given, once.
template <class Value>
class Told {
 public:
  void operator()(Value value) {
    const std::lock_guard lock(mutex_);
    values_.push_back(std::move(value));
  }
  Value get() {
    EXPECT_TRUE(eventually([&] { return times() > 0; }));
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(values_.size(), 1U);
    return values_.empty() ? Value() : values_.front();
  }
  std::size_t times() const {
    const std::lock_guard lock(mutex_);
    return values_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Value> values_;
};

TEST(PublishManyAsync, CopiesThemKeepsTheirOrderAndTellsOnce) {
  auto mq = open_memory();
  Told<std::vector<Sent>> told;
  {
    std::vector<std::string> bodies;
    for (int i = 0; i < 1000; ++i) bodies.push_back(std::to_string(i));
    const swapmq::Header headers[] = {{"name", "value"}};
    std::vector<Message> messages(bodies.size());
    for (std::size_t i = 0; i < bodies.size(); ++i) {
      messages[i].body = bodies[i];
      if (i == 999) messages[i].headers = headers;
    }
    mq.publish_many_async("tasks", messages, std::ref(told));
  }
  const auto sent = told.get();
  ASSERT_EQ(sent.size(), 1000U);
  std::set<std::string_view> ids;
  for (const Sent& one : sent) {
    EXPECT_TRUE(one);
    ids.insert(one.id());
  }
  EXPECT_EQ(ids.size(), 1000U);
  auto subscription = mq.subscribe("tasks", {.prefetch = 1000}).value();
  for (int i = 0; i < 1000; ++i) {
    const auto got = subscription.receive(1, 5s).value();
    ASSERT_EQ(got.size(), 1U);
    ASSERT_EQ(got[0].body(), std::to_string(i));
    EXPECT_EQ(got[0].headers().size(), i == 999 ? 1U : 0U);
  }
}

TEST(PublishManyAsync, NoneAndWhatIsRefusedAreToldAtOnce) {
  auto mq = open_memory();
  Told<std::vector<Sent>> none, wrong;
  mq.publish_many_async("tasks", {}, std::ref(none));
  EXPECT_THAT(none.get(), IsEmpty());
  const std::vector<Message> two(2);
  mq.publish_many_async("", two, std::ref(wrong));
  const auto sent = wrong.get();
  ASSERT_EQ(sent.size(), 2U);
  EXPECT_EQ(sent[1].outcome(), Outcome::failed);
  EXPECT_EQ(sent[1].error().code(), Errc::invalid_argument);
}

TEST(PublishManyAsync, EachHasItsOwnOutcome) {
  auto mq = open_memory("", R"({"tasks":{"max_length":2}})");
  Told<std::vector<Sent>> told;
  const std::vector<Message> three(3);
  mq.publish_many_async("tasks", three, std::ref(told), {.timeout = 200ms});
  const auto sent = told.get();
  EXPECT_TRUE(sent[0] && sent[1]);
  EXPECT_EQ(sent[2].outcome(), Outcome::failed);
}

TEST(PublishManyAsync, ToGroups) {
  auto mq = open_memory("", R"({"tasks":{"groups":["a","b"]}})");
  Told<std::vector<Sent>> told;
  const std::vector<Message> three(3);
  mq.publish_many_async("tasks", three, std::ref(told));
  for (const Sent& one : told.get()) EXPECT_TRUE(one);
  EXPECT_EQ(*mq.size("tasks@a"), 3U);
  EXPECT_EQ(*mq.size("tasks@b"), 3U);
}

class OnDemand : public testing::Test {
 protected:
  OnDemand() {
    const std::vector<Message> messages(10);
    for (const Sent& sent : mq_.publish_many("tasks", messages)) EXPECT_TRUE(sent);
  }
  bool stays_ready(std::uint64_t count) {
    if (!eventually([&] { return *mq_.size("tasks") == count; })) return false;
    std::this_thread::sleep_for(50ms);
    return *mq_.size("tasks") == count;
  }

  swapmq::MessageQueue mq_ = open_memory();
  swapmq::Subscription subscription_ =
      mq_.subscribe("tasks", {.prefetch = 8, .on_demand = true}).value();
};

TEST_F(OnDemand, NothingIsTakenBeforeItIsAskedFor) {
  EXPECT_THAT(subscription_.receive(1, 50ms).value(), IsEmpty());
  EXPECT_TRUE(stays_ready(10));
  subscription_.ask(2);
  EXPECT_TRUE(stays_ready(8)) << "so many, and no more";
  EXPECT_EQ(subscription_.receive(2, 5s)->size(), 2U);
}

TEST_F(OnDemand, WhatIsNotWantedAnyMoreGoesBackInItsOrder) {
  subscription_.ask(4);
  ASSERT_TRUE(stays_ready(6));
  const auto first = subscription_.receive(1, 5s).value();
  subscription_.ask(0);
  EXPECT_TRUE(stays_ready(9)) << "others get them";
  subscription_.ask(1);
  const auto second = subscription_.receive(1, 5s).value();
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].delivery_count(), 1U) << "what nobody saw is not counted";
}

TEST_F(OnDemand, NeverMoreThanThePrefetch) {
  subscription_.ask(100);
  std::vector<Delivery> held;
  EXPECT_TRUE(eventually([&] {
    for (auto& one : subscription_.receive(100, 10ms).value()) held.push_back(one);
    return held.size() == 8;
  }));
  EXPECT_TRUE(stays_ready(2));
  held[0].ack();
  EXPECT_TRUE(stays_ready(1));
}

TEST_F(OnDemand, TellsWhenThereIsSomething) {
  std::atomic<int> rings{0};
  subscription_.on_ready([&] { ++rings; });
  EXPECT_THAT(subscription_.receive(1, 0ms).value(), IsEmpty());
  EXPECT_EQ(rings, 0);
  subscription_.ask(1);
  EXPECT_TRUE(eventually([&] { return rings > 0; }));
  EXPECT_EQ(subscription_.receive(1, 0ms)->size(), 1U);
  subscription_.on_ready(nullptr);
  const int before = rings;
  subscription_.ask(5);
  EXPECT_TRUE(stays_ready(5));
  EXPECT_EQ(rings, before);
}

TEST_F(OnDemand, AConsumerThatWaitsGetsWhatComesLater) {
  auto waiting = mq_.subscribe("later", {.on_demand = true}).value();
  waiting.ask(3);
  std::this_thread::sleep_for(20ms); // it waits at the broker
  ASSERT_TRUE(mq_.publish("later", "came"));
  const auto came = waiting.receive(3, 5s).value();
  EXPECT_EQ(came.size(), 1U);
  waiting.ask(0);
  std::this_thread::sleep_for(20ms);
  ASSERT_TRUE(mq_.publish("later", "stays"));
  EXPECT_THAT(waiting.receive(3, 50ms).value(), IsEmpty());
  EXPECT_TRUE(eventually([&] { return *mq_.size("later") == 1; }));
}

TEST(WhenSettled, TheBrokersWordIsTold) {
  auto mq = open_memory();
  ASSERT_TRUE(mq.publish("tasks", "one"));
  auto subscription = mq.subscribe("tasks").value();
  const auto got = subscription.receive(1, 5s).value();
  Told<Error> open, acked, again;
  got[0].when_settled(std::ref(open));
  EXPECT_EQ(open.get().code(), Errc::invalid_argument) << "nobody has settled it";
  got[0].ack();
  got[0].when_settled(std::ref(acked));
  EXPECT_FALSE(acked.get());
  got[0].when_settled(std::ref(again));
  EXPECT_FALSE(again.get());
  Told<Error> none;
  Delivery().when_settled(std::ref(none));
  EXPECT_EQ(none.get().code(), Errc::lost);
}

TEST(WhenSettled, AlsoThatItIsLost) {
  auto mq = open_scripted();
  ASSERT_TRUE(mq.publish("dying-1", "one"));
  auto subscription = mq.subscribe("dying-1").value();
  const auto got = subscription.receive(1, 5s).value();
  ASSERT_EQ(got.size(), 1U);
  Told<Error> told;
  got[0].ack();
  got[0].when_settled(std::ref(told));
  EXPECT_EQ(told.get().code(), Errc::lost);
}

TEST(WhenSettled, ManyAreToldOnceEach) {
  auto mq = open_memory();
  const std::vector<Message> messages(200);
  for (const Sent& sent : mq.publish_many("tasks", messages)) ASSERT_TRUE(sent);
  auto subscription = mq.subscribe("tasks").value();
  std::atomic<int> told{0}, well{0};
  std::size_t acked = 0;
  EXPECT_TRUE(eventually([&] {
    for (const auto& one : subscription.receive(200, 10ms).value()) {
      one.ack();
      one.when_settled([&](const Error& error) {
        ++told;
        if (!error) ++well;
      });
      ++acked;
    }
    return acked == 200 && told == 200;
  }));
  ASSERT_FALSE(subscription.close());
  EXPECT_EQ(told, 200);
  EXPECT_EQ(well, 200);
}

} // namespace
