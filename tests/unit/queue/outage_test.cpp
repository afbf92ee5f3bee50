// SPDX-License-Identifier: MIT
//
// Consuming from a broker that goes away.
#include "support.h"

namespace {

using namespace test;
using swapmq::Delivery;
using swapmq::Settling;

TEST(Outage, AConsumerSurvivesTheDeathOfItsSession) {
  auto mq = open_scripted(R"(,"retry_delay_seconds":0)");
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(mq.publish("dying-2", std::to_string(i)));
  Seen seen;
  auto consumer = mq.consume("dying-2", {.prefetch = 10}, [&](const Delivery& d) {
    seen.add(d.body());
    return swapmq::ack();
  });
  ASSERT_TRUE(eventually([&] {
    const auto stats = mq.stats("dying-2");
    return stats && stats->ready == 0 && stats->unacked == 0;
  }));
  std::vector<std::string> bodies = seen.all();
  std::sort(bodies.begin(), bodies.end());
  bodies.erase(std::unique(bodies.begin(), bodies.end()), bodies.end());
  EXPECT_EQ(bodies.size(), 50U); // each at least once
  EXPECT_EQ(metric(mq, "swapmq_sessions_broken_total"), 2);
  EXPECT_FALSE(consumer->last_error());
}

TEST(Outage, WhatWasHandedOutIsLostWithItsSession) {
  auto mq = open_scripted();
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(mq.publish("dying-1", std::to_string(i)));
  auto subscription = mq.subscribe("dying-1");
  std::vector<Delivery> held;
  while (held.size() < 2) {
    auto got = subscription->receive(2, 5s);
    ASSERT_FALSE(got->empty());
    for (auto& d : *got) held.push_back(std::move(d));
  }
  EXPECT_EQ(held[0].ack(), Settling::accepted); // takes the session down
  EXPECT_EQ(held[0].wait_settled(5s).code(), swapmq::Errc::lost);
  EXPECT_EQ(held[1].ack(), Settling::lost);
  EXPECT_EQ(held[1].body(), "1"); // its bytes are still there
  std::size_t again = 0;
  while (again < 2) {
    auto got = subscription->receive(2, 5s);
    ASSERT_FALSE(got->empty());
    for (auto& d : *got) {
      EXPECT_EQ(d.ack(), Settling::accepted);
      ++again;
    }
  }
}

double event(const swapmq::MessageQueue& mq, const char* name) {
  return metric(mq, "swapmq_plugin_events_total", {{"event", name}});
}

TEST(Outage, ADecisionWhoseSessionDiesUnderTheKeeperIsLostAndGoesToNoOther) {
  auto mq = open_scripted();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(mq.publish("resetting-200", std::to_string(i)));
  auto subscription = mq.subscribe("resetting-200", {.prefetch = 1});
  const auto got = subscription->receive(1, 5s);
  ASSERT_EQ(got->size(), 1U);
  ASSERT_TRUE(eventually([&] { return event(mq, "resets") > 0; }));
  EXPECT_EQ((*got)[0].ack(), Settling::accepted); // while the session is about to die
  EXPECT_EQ((*got)[0].wait_settled(5s).code(), swapmq::Errc::lost);
  Seen seen;
  while (seen.size() < 3) {
    const auto again = subscription->receive(1, 5s);
    ASSERT_FALSE(again->empty());
    seen.add((*again)[0].body());
    EXPECT_EQ((*again)[0].ack(), Settling::accepted);
  }
  EXPECT_EQ(event(mq, "stale_settlements"), 0);
}

TEST(Outage, AConsumerOfABrokerThatIsDownSaysSoAndCloses) {
  auto mq = open_scripted();
  auto consumer = mq.consume("down", {}, [](const Delivery&) { return swapmq::ack(); });
  ASSERT_TRUE(eventually([&] { return static_cast<bool>(consumer->last_error()); }));
  EXPECT_EQ(consumer->last_error().code(), swapmq::Errc::unavailable);
  EXPECT_NE(consumer->last_error().message().find("nobody answers"), std::string::npos);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_FALSE(consumer->close(2s));
  EXPECT_LE(std::chrono::steady_clock::now() - before, 2s);
}

TEST(Outage, ASlowHandlerDoesNotStopItsSessionFromBeingServed) {
  auto mq = open_scripted();
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(mq.publish("tasks", std::to_string(i)));
  std::atomic<bool> enough{false};
  auto consumer = mq.consume("tasks", {}, [&](const Delivery& d) {
    if (d.body() == "0") return swapmq::ack();
    while (!enough) std::this_thread::sleep_for(5ms);
    return swapmq::ack();
  });
  const auto service_calls = [&] {
    return metric(mq, "swapmq_plugin_events_total", {{"event", "service_calls"}});
  };
  // While the second handler runs, the first one's ack reaches the broker, and leases are renewed.
  EXPECT_TRUE(eventually([&] { return mq.stats("tasks")->unacked == 1; }));
  EXPECT_TRUE(eventually([&] { return service_calls() >= 2; }));
  enough = true;
}

TEST(Outage, ABrokerThatDoesNotAnswerStopsNoClock) {
  auto mq = open_scripted(R"(,"retry_delay_seconds":0)");
  std::vector<swapmq::Subscription> unanswered; // each at its prefetch, so that it only is served
  std::vector<std::vector<Delivery>> held;
  for (int i = 0; i < 6; ++i) {
    const std::string queue = "mute-" + std::to_string(i);
    ASSERT_TRUE(mq.publish(queue, "x"));
    unanswered.push_back(std::move(*mq.subscribe(queue, {.prefetch = 1})));
    held.push_back(std::move(*unanswered.back().receive(1, 5s)));
    ASSERT_EQ(held.back().size(), 1U);
  }
  const double before = event(mq, "service_calls");
  ASSERT_TRUE(eventually([&] { return event(mq, "service_calls") >= before + 6; }));
  ASSERT_TRUE(mq.publish("tasks", "x"));
  auto subscription = mq.subscribe("tasks", {.prefetch = 1, .ack_timeout = 100ms});
  const auto got = subscription->receive(1, 5s);
  ASSERT_EQ(got->size(), 1U);
  // Each of the six takes a second each time that it is looked after.
  const auto again = subscription->receive(1, 3s);
  ASSERT_EQ(again->size(), 1U) << "ack_timeout did not end it";
  EXPECT_EQ((*again)[0].delivery_count(), 2U);
}

} // namespace
