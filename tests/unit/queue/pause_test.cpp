// SPDX-License-Identifier: MIT
//
// Consumers that pause and go on.
#include <barrier>

#include "support.h"

namespace {

using namespace test;
using swapmq::Delivery;

/// Handlers that wait until they are let go.
class Doors {
 public:
  swapmq::Decision pass(const Delivery& delivery) {
    inside_.add(delivery.body());
    open_.wait(false);
    left_.add(delivery.body());
    return swapmq::ack();
  }
  void open() {
    open_ = true;
    open_.notify_all();
  }
  const Seen& inside() const { return inside_; }
  const Seen& left() const { return left_; }

 private:
  Seen inside_, left_;
  std::atomic<bool> open_{false};
};

class Pause : public testing::Test {
 protected:
  void publish(int from, int to) {
    for (int i = from; i < to; ++i) ASSERT_TRUE(mq_.publish("tasks", std::to_string(i)));
  }
  bool ready_are(std::uint64_t count) {
    return eventually([&] { return *mq_.size("tasks") == count; });
  }
  bool in_use(int count) {
    return eventually([&] {
      return metric(mq_, "swapmq_sessions_in_use", {{"role", "consume"}}) == count;
    });
  }

  swapmq::MessageQueue mq_ = open_memory();
};

TEST_F(Pause, WhatIsBufferedGoesBackAndHandlersFinish) {
  Doors doors;
  publish(0, 10);
  auto consumer = mq_.consume("tasks", {}, [&](const Delivery& d) { return doors.pass(d); });
  ASSERT_TRUE(eventually([&] { return doors.inside().size() == 1; }));
  EXPECT_FALSE(consumer->paused());
  consumer->pause();
  EXPECT_TRUE(consumer->paused());
  EXPECT_TRUE(ready_are(9)) << "others get them";
  EXPECT_EQ(consumer->in_flight(), 1U);
  doors.open();
  EXPECT_TRUE(eventually([&] { return mq_.stats("tasks")->unacked == 0; }));
  EXPECT_EQ(*mq_.size("tasks"), 9U);
  EXPECT_EQ(doors.left().all(), std::vector<std::string>{"0"});
  EXPECT_TRUE(in_use(0)) << "a broker that pushes would go on to do so";

  publish(10, 12);
  consumer->resume();
  EXPECT_FALSE(consumer->paused());
  ASSERT_TRUE(eventually([&] { return doors.left().size() == 12; }));
  std::vector<std::string> in_order;
  for (int i = 0; i < 12; ++i) in_order.push_back(std::to_string(i));
  EXPECT_EQ(doors.left().all(), in_order);
}

TEST_F(Pause, IsNoDeliveryThatCounts) {
  Doors doors;
  Seen counts;
  publish(0, 5);
  auto consumer = mq_.consume("tasks", {}, [&](const Delivery& d) {
    counts.add(std::to_string(d.delivery_count()));
    return doors.pass(d);
  });
  ASSERT_TRUE(eventually([&] { return doors.inside().size() == 1; }));
  consumer->pause();
  ASSERT_TRUE(ready_are(4));
  doors.open();
  consumer->resume();
  ASSERT_TRUE(eventually([&] { return doors.left().size() == 5; }));
  EXPECT_EQ(counts.all(), std::vector<std::string>(5, "1"));
}

TEST_F(Pause, FromAHandlerAndToAndFro) {
  publish(0, 200);
  Seen seen;
  swapmq::Consumer* self = nullptr;
  std::mutex known; // that `self` is, to the handlers
  std::unique_lock unknown(known);
  auto consumer = mq_.consume("tasks", {.prefetch = 16, .concurrency = 4}, [&](const Delivery& d) {
    seen.add(d.body());
    const std::lock_guard lock(known);
    self->pause();
    return swapmq::ack();
  });
  self = &*consumer;
  unknown.unlock();
  ASSERT_TRUE(eventually([&] {
    consumer->resume();
    return seen.size() >= 200;
  }));
  consumer->resume();
  ASSERT_FALSE(consumer->close());
  EXPECT_EQ(*mq_.size("tasks"), 0U);
  std::set<std::string> different;
  for (const auto& body : seen.all()) different.insert(body);
  EXPECT_EQ(different.size(), 200U);
  EXPECT_EQ(seen.size(), 200U) << "once each";
}

TEST_F(Pause, ASubscriptionFindsNothingMeanwhile) {
  publish(0, 3);
  auto subscription = mq_.subscribe("tasks");
  auto held = subscription->receive(1, 5s).value();
  ASSERT_EQ(held.size(), 1U);
  subscription->pause();
  EXPECT_TRUE(subscription->paused());
  EXPECT_TRUE(ready_are(2));
  EXPECT_TRUE(subscription->receive(10, 50ms)->empty());
  held[0].ack();
  EXPECT_FALSE(held[0].wait_settled(5s)) << "where it came from";
  subscription->resume();
  EXPECT_EQ(take_all(*subscription, 2), (std::set<std::string>{"1", "2"}));
}

TEST_F(Pause, AReceiverThatWaitsGetsWhatComesAfterIt) {
  auto subscription = mq_.subscribe("tasks");
  subscription->pause();
  std::thread receiver([&] { EXPECT_EQ(subscription->receive(1, 10s)->size(), 1U); });
  publish(0, 1);
  EXPECT_TRUE(ready_are(1));
  subscription->resume();
  receiver.join();
}

TEST_F(Pause, ClosesWhilePaused) {
  auto consumer = mq_.consume("tasks", {}, [](const Delivery&) { return swapmq::ack(); });
  consumer->pause();
  EXPECT_FALSE(consumer->close(5s));
  consumer->resume(); // too late: nothing happens
  publish(0, 1);
  auto other = mq_.subscribe("tasks");
  EXPECT_EQ(take_all(*other, 1), std::set<std::string>{"0"});
  EXPECT_LE(metric(mq_, "swapmq_sessions_opened_total", {{"role", "consume"}}), 2);
}

/// Whichever was last, what paused() says is so.
TEST_F(Pause, AndResumeAtOnceAgreeInTheEnd) {
  auto subscription = mq_.subscribe("tasks");
  for (int round = 0; round < 3000; ++round) {
    std::barrier together(2);
    std::thread pausing([&] {
      together.arrive_and_wait();
      subscription->pause();
    });
    together.arrive_and_wait();
    subscription->resume();
    pausing.join();
    if (subscription->paused()) continue;
    publish(round, round + 1);
    ASSERT_EQ(take_all(*subscription, 1), std::set<std::string>{std::to_string(round)});
  }
}

} // namespace
