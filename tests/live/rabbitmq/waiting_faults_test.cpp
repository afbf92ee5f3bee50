// SPDX-License-Identifier: MIT
//
// A broker that dies while messages wait in it for their time, or as dead letters: all of them
// come, none before its time, and with the counts that they had.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "../support/deadline.hpp"
#include "one_broker.hpp"
#include "rabbitmq_app.hpp"

namespace swapmq::live {
namespace {

constexpr auto kPatience = milliseconds(60'000);
constexpr auto kDelay = milliseconds(6000); // of which the broker is away for some
constexpr std::size_t kMessages = 100;      // of each kind

class WaitingFaults : public OneBroker, public testing::WithParamInterface<const char*> {
 protected:
  static RabbitmqApp config() {
    RabbitmqApp app{broker().options()};
    app.broker.queue_type = GetParam();
    app.broker.more = R"("connection_timeout_seconds":3,"retry_delay_seconds":0.01)";
    app.more = R"(,"max_retries":1000000,"retry_delay_seconds":0)";
    return app;
  }
  static void publish(MessageQueue& mq, const std::string& kind, milliseconds delay) {
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < kMessages; ++i) ids.push_back(kind + std::to_string(i));
    std::vector<Message> messages;
    messages.reserve(ids.size());
    for (const std::string& id : ids)
      messages.push_back({.body = "body", .id = id, .delay = delay});
    for (const Sent& sent : mq.publish_many("tasks", messages)) {
      ASSERT_TRUE(sent) << sent.error().message();
    }
  }
  /// Until that is enough; `take` disposes of each.
  template <class Enough, class Take>
  static void take_until(Subscription& subscription, const Enough& enough, const Take& take) {
    const auto deadline = Clock::now() + kPatience;
    while (!enough() && Clock::now() < deadline) {
      auto got = subscription.receive(2 * kMessages, milliseconds(500));
      if (!got) continue; // the broker is just coming
      for (const Delivery& delivery : *got) take(delivery);
    }
    ASSERT_TRUE(enough());
  }
  /// Until the broker has done it.
  static void expect_settled(const std::vector<Delivery>& deliveries) {
    for (const Delivery& delivery : deliveries) {
      const Error error = delivery.wait_settled(kPatience);
      EXPECT_EQ(error.code(), Errc::ok) << error.message();
    }
  }
  /// In queues where they wait for their time.
  static std::string waiting() {
    return broker().eval(
        "lists:sum([element(2, rabbit_quorum_queue:stat(Q)) || Q <- rabbit_amqqueue:list(), "
        "{resource, _, _, <<\"swapmq.delay.\", _/binary>>} <- [amqqueue:get_name(Q)]])");
  }
  static void kill_and_start() {
    keep_queues();
    broker().kill();
    broker().restart();
  }
};

struct Nacked {
  std::vector<Delivery> deliveries{}; // the last of each
  std::map<std::string, Clock::time_point> at{};
};

/// What comes within a moment: at first at once, then with the delay.
void nack_twice(Subscription& subscription, Nacked& nacked) {
  auto got = subscription.receive(kMessages, milliseconds(500));
  ASSERT_TRUE(got) << got.error().message();
  for (const Delivery& delivery : *got) {
    if (delivery.delivery_count() == 1) {
      delivery.nack(milliseconds(0));
      continue;
    }
    nacked.at[std::string(delivery.id())] = Clock::now();
    delivery.nack(kDelay);
    nacked.deliveries.push_back(delivery);
  }
}

TEST_P(WaitingFaults, DelaysAndCountsOutlastAKill) {
  MessageQueue mq = open_queue(config());
  const auto published = Clock::now();
  publish(mq, "published", kDelay);
  publish(mq, "nacked", milliseconds(0));
  Nacked nacked;
  {
    auto subscription = mq.subscribe("tasks", {.prefetch = kMessages});
    const auto deadline = Clock::now() + kPatience;
    while (nacked.at.size() < kMessages && Clock::now() < deadline) {
      nack_twice(*subscription, nacked);
    }
    ASSERT_EQ(nacked.at.size(), kMessages);
    EXPECT_TRUE(subscription->receive(1, milliseconds(0))); // with which the last nacks travel
    expect_settled(nacked.deliveries);
  }
  const std::string waited = waiting();
  kill_and_start();

  std::set<std::string> came;
  std::size_t again = 0;
  auto subscription = mq.subscribe("tasks");
  const auto all_came = [&] { return came.size() == 2 * kMessages; };
  take_until(*subscription, all_came, [&](const Delivery& delivery) {
    const std::string id(delivery.id());
    const bool was_nacked = nacked.at.contains(id);
    delivery.ack();
    if (was_nacked && delivery.delivery_count() < 3) {
      ++again; // an earlier copy, whose ack the broker had not written down
      return;
    }
    const auto waited_for = Clock::now() - (was_nacked ? nacked.at.at(id) : published);
    EXPECT_GE(waited_for, kDelay - milliseconds(2)) << id << ": two clocks, in milliseconds";
    EXPECT_EQ(delivery.delivery_count(), was_nacked ? 3U : 1U) << id;
    came.insert(id);
  });
  std::cout
      << came.size() << " came of " << 2 * kMessages << ", of which " << waited
      << " waited in delay queues when the broker was killed; earlier copies that came again: "
      << again << '\n';
  RecordProperty("waited", waited);
  RecordProperty("again", std::to_string(again));
}

TEST_P(WaitingFaults, DeadLettersOutlastAKill) {
  MessageQueue mq = open_queue(config());
  publish(mq, "dead", milliseconds(0));
  std::set<std::string> rejected, came;
  {
    auto subscription = mq.subscribe("tasks");
    std::vector<Delivery> all;
    const auto all_came = [&] { return all.size() == kMessages; };
    take_until(*subscription, all_came, [&](const Delivery& delivery) {
      delivery.reject("it is of no use");
      rejected.emplace(delivery.id());
      all.push_back(delivery);
    });
    EXPECT_TRUE(subscription->receive(1, milliseconds(0))); // with which the last ones travel
    expect_settled(all);
  }
  kill_and_start();
  auto subscription = mq.subscribe("tasks.dead");
  const auto all_came = [&] { return came.size() >= kMessages; };
  take_until(*subscription, all_came, [&](const Delivery& delivery) {
    EXPECT_EQ(delivery.header("swapmq-dead-letter-queue"), "tasks");
    EXPECT_EQ(delivery.header("swapmq-dead-letter-deliveries"), "1");
    came.emplace(delivery.id());
    delivery.ack();
  });
  EXPECT_EQ(came, rejected);
  std::cout << came.size() << " dead letters came of " << rejected.size() << '\n';
}

INSTANTIATE_TEST_SUITE_P(Of, WaitingFaults, testing::Values("quorum", "classic"),
                         [](const auto& type) { return std::string(type.param); });

} // namespace
} // namespace swapmq::live
