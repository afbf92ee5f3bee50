// SPDX-License-Identifier: MIT
//
// Settling by hand: from any thread, idempotent, in time or lost.
#include "support.h"

namespace {

using namespace test;
using swapmq::Delivery;
using swapmq::Errc;
using swapmq::Settling;

Delivery receive_one(swapmq::Subscription& subscription) {
  auto got = subscription.receive(1, 5s);
  return got && got->size() == 1 ? std::move((*got)[0]) : Delivery();
}

TEST(Settle, TwiceIsHarmlessAndSaysSo) {
  auto mq = open_memory();
  ASSERT_TRUE(mq.publish("tasks", "x"));
  auto subscription = mq.subscribe("tasks");
  const Delivery delivery = receive_one(*subscription);
  EXPECT_EQ(delivery.ack(), Settling::accepted);
  EXPECT_EQ(delivery.ack(), Settling::already);
  EXPECT_EQ(delivery.nack(), Settling::already);
  EXPECT_EQ(delivery.wait_settled(5s).code(), Errc::ok);
  EXPECT_EQ(delivery.reject(), Settling::already);
  EXPECT_EQ(*mq.size("tasks"), 0U);
}

TEST(Settle, FromManyThreadsOnlyOneWins) {
  auto mq = open_memory();
  ASSERT_TRUE(mq.publish("tasks", "x"));
  auto subscription = mq.subscribe("tasks");
  const Delivery delivery = receive_one(*subscription);
  std::atomic<int> accepted{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, copy = delivery] { accepted += copy.ack() == Settling::accepted; });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(accepted, 1);
  EXPECT_EQ(delivery.wait_settled(5s).code(), Errc::ok);
  EXPECT_EQ(mq.stats("tasks")->unacked, 0U);
}

TEST(Settle, ReleaseIsNotCountedAndNackIs) {
  auto mq = open_memory();
  ASSERT_TRUE(mq.publish("tasks", "x"));
  auto subscription = mq.subscribe("tasks");
  receive_one(*subscription).release();
  Delivery again = receive_one(*subscription);
  EXPECT_EQ(again.delivery_count(), 1U);
  EXPECT_TRUE(again.redelivered());
  again.nack(0ms);
  again = receive_one(*subscription);
  EXPECT_EQ(again.delivery_count(), 2U);
  again.ack();
}

TEST(Settle, NackWaitsForItsDelay) {
  auto mq = open_memory();
  ASSERT_TRUE(mq.publish("tasks", "x"));
  auto subscription = mq.subscribe("tasks");
  const auto before = std::chrono::steady_clock::now();
  receive_one(*subscription).nack(300ms);
  EXPECT_EQ(receive_one(*subscription).body(), "x");
  const auto took = std::chrono::steady_clock::now() - before;
  EXPECT_GE(took, 290ms);
  EXPECT_LE(took, 3s);
}

TEST(Settle, ADroppedDeliveryIsReleased) {
  auto mq = open_memory();
  ASSERT_TRUE(mq.publish("tasks", "x"));
  auto subscription = mq.subscribe("tasks");
  { const Delivery dropped = receive_one(*subscription); }
  const Delivery again = receive_one(*subscription);
  EXPECT_EQ(again.body(), "x");
  EXPECT_EQ(again.delivery_count(), 1U);
}

TEST(Settle, AHandlerMayKeepADeliveryAndSettleLater) {
  auto mq = open_memory();
  ASSERT_TRUE(mq.publish("tasks", "x"));
  std::mutex mutex;
  std::vector<Delivery> kept;
  auto consumer = mq.consume("tasks", {}, [&](const Delivery& d) {
    const std::lock_guard lock(mutex);
    kept.push_back(d);
    return swapmq::keep();
  });
  ASSERT_TRUE(eventually([&] {
    const std::lock_guard lock(mutex);
    return kept.size() == 1;
  }));
  EXPECT_EQ(consumer->in_flight(), 1U);
  EXPECT_EQ(mq.stats("tasks")->unacked, 1U);
  EXPECT_EQ(kept[0].ack(), Settling::accepted);
  EXPECT_EQ(kept[0].wait_settled(5s).code(), Errc::ok);
  EXPECT_EQ(mq.stats("tasks")->unacked, 0U);
}

TEST(Settle, AckTimeoutNacksAndExtendPutsItOff) {
  auto mq = open_memory(R"(,"retry_delay_seconds":0)");
  ASSERT_TRUE(mq.publish("tasks", "x"));
  auto subscription = mq.subscribe("tasks", {.prefetch = 1, .ack_timeout = 600ms});
  const Delivery delivery = receive_one(*subscription);
  const auto received = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - received < 1500ms) {
    ASSERT_EQ(delivery.extend(), Settling::accepted);
    std::this_thread::sleep_for(50ms);
  }
  const Delivery again = receive_one(*subscription); // once we no longer extend
  EXPECT_EQ(again.body(), "x");
  EXPECT_EQ(again.delivery_count(), 2U);
  EXPECT_EQ(delivery.ack(), Settling::lost);
  EXPECT_EQ(metric(mq, "swapmq_ack_timeouts_total"), 1);
  again.ack();
}

TEST(Settle, ARejectedDeadLetterStaysWhereItIsAndDoesNotSpin) {
  auto mq = open_memory(R"(,"retry_delay_seconds":0.4)");
  ASSERT_TRUE(mq.publish("tasks.dead", "x"));
  auto subscription = mq.subscribe("tasks.dead");
  const auto before = std::chrono::steady_clock::now();
  receive_one(*subscription).reject("hopeless");
  const Delivery again = receive_one(*subscription); // there is no queue behind the last one
  EXPECT_EQ(again.body(), "x");
  EXPECT_EQ(again.delivery_count(), 2U);
  EXPECT_GE(std::chrono::steady_clock::now() - before, 390ms);
}

TEST(Settle, OfAReasonTheBeginningIsKept) {
  auto mq = open_memory();
  ASSERT_TRUE(mq.publish("tasks", "x"));
  const std::string most(1023, 'r');
  auto subscription = mq.subscribe("tasks");
  receive_one(*subscription).reject(most + "\u00e9 and so on");
  auto dead = mq.subscribe("tasks.dead");
  EXPECT_EQ(receive_one(*dead).header("swapmq-dead-letter-reason"), most);
}

TEST(Settle, WithoutHelpFromTheBackendNothingIsLost) {
  auto mq = open_scripted(R"(,"max_retries":1)");
  ASSERT_TRUE(mq.publish("tasks", "x"));
  auto subscription = mq.subscribe("tasks");
  const auto before = std::chrono::steady_clock::now();
  receive_one(*subscription).nack(400ms); // held back by the core, since the backend cannot
  Delivery again = receive_one(*subscription);
  EXPECT_GE(std::chrono::steady_clock::now() - before, 390ms);
  EXPECT_EQ(again.delivery_count(), 2U);
  again.nack(0ms, "still bad"); // the second of two: published to the dead letters, then acked
  EXPECT_EQ(again.wait_settled(5s).code(), Errc::ok);
  EXPECT_EQ(*mq.size("tasks"), 0U);
  auto dead = mq.subscribe("tasks.dead");
  const Delivery letter = receive_one(*dead);
  EXPECT_EQ(letter.body(), "x");
  EXPECT_EQ(letter.id(), again.id());
  EXPECT_EQ(letter.header("swapmq-dead-letter-reason"), "max_deliveries: still bad");
  letter.ack();
}

TEST(Settle, ARefusedSettlementIsTriedAgain) {
  auto mq = open_scripted();
  ASSERT_TRUE(mq.publish("stubborn-1", "x"));
  auto subscription = mq.subscribe("stubborn-1");
  const Delivery delivery = receive_one(*subscription);
  delivery.ack();
  EXPECT_EQ(delivery.wait_settled(1ms).code(), Errc::timeout);
  EXPECT_EQ(delivery.wait_settled(5s).code(), Errc::ok);
  EXPECT_EQ(mq.stats("stubborn-1")->unacked, 0U);
}

/// It goes with each exchange until there is an answer, takes no credit, and holds up nobody.
TEST(Settle, WhatTheBrokerAnswersLateIsHeardLater) {
  constexpr int kCount = 2000;
  auto mq = open_scripted();
  const std::vector<swapmq::Message> messages(kCount, swapmq::Message{.body = "x"});
  for (const auto& sent : mq.publish_many("late-0", messages)) ASSERT_TRUE(sent);
  std::atomic<int> handled{0};
  auto consumer = mq.consume("late-0", {.prefetch = 20}, [&](const Delivery&) {
    ++handled;
    return swapmq::ack();
  });
  ASSERT_TRUE(eventually([&] { return handled == kCount; }));
  EXPECT_FALSE(consumer->close(20s));
  EXPECT_EQ(*mq.size("late-0"), 0U);
  EXPECT_EQ(mq.stats("late-0")->unacked, 0U);
  EXPECT_EQ(handled, kCount);
}

TEST(Settle, TheLateAnswerIsAwaited) {
  auto mq = open_scripted();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(mq.publish("late-0", "x"));
  auto subscription = mq.subscribe("late-0", {.prefetch = 1});
  for (int i = 0; i < 3; ++i) {
    const Delivery delivery = receive_one(*subscription);
    EXPECT_EQ(delivery.ack(), Settling::accepted);
    EXPECT_EQ(delivery.ack(), Settling::already);
    EXPECT_EQ(delivery.wait_settled(5s).code(), Errc::ok);
  }
  EXPECT_EQ(mq.stats("late-0")->unacked, 0U);
}

/// Also while there is enough at hand that nothing else has to be exchanged.
TEST(Settle, TheLateAnswerIsAskedForWhereSomebodyWaits) {
  constexpr int kCount = 40;
  auto mq = open_scripted();
  for (int i = 0; i < kCount; ++i) ASSERT_TRUE(mq.publish("late-0", "x"));
  auto subscription = mq.subscribe("late-0", {.prefetch = 8});
  const auto before = std::chrono::steady_clock::now();
  for (int i = 0; i < kCount; i += 4) {
    std::vector<Delivery> held;
    for (int j = 0; j < 4; ++j) held.push_back(receive_one(*subscription));
    for (const Delivery& delivery : held) delivery.ack();
    for (const Delivery& delivery : held) {
      EXPECT_EQ(delivery.wait_settled(5s).code(), Errc::ok);
    }
  }
  EXPECT_LE(std::chrono::steady_clock::now() - before, 2s) << "they waited for the lane's rest";
}

TEST(Settle, AnEmptyHandleIsHarmless) {
  const Delivery none;
  EXPECT_EQ(none.body(), "");
  EXPECT_EQ(none.queue(), "");
  EXPECT_TRUE(none.headers().empty());
  EXPECT_EQ(none.delivery_count(), 0U);
  EXPECT_EQ(none.ack(), Settling::lost);
  EXPECT_EQ(none.wait_settled(1ms).code(), Errc::lost);
}

TEST(Settle, WhatAckTimeoutNackedIsLostToItsHolder) {
  auto mq = open_memory(R"(,"retry_delay_seconds":0)");
  ASSERT_TRUE(mq.publish("tasks", "x"));
  auto subscription = mq.subscribe("tasks", {.ack_timeout = 50ms});
  const Delivery delivery = receive_one(*subscription);
  EXPECT_EQ(receive_one(*subscription).delivery_count(), 2U) << "it was nacked, and came again";
  EXPECT_EQ(delivery.ack(), Settling::lost);
  EXPECT_EQ(delivery.wait_settled(5s).code(), Errc::lost);
}

TEST(Settle, WhatWasAcceptedIsSettledBeforeTheSubscriptionGoes) {
  auto mq = open_memory();
  constexpr std::size_t count = 60'000; // more than one exchange settles
  const std::vector<swapmq::Message> messages(count, swapmq::Message{.body = "x"});
  for (const auto& sent : mq.publish_many("tasks", messages)) ASSERT_TRUE(sent);
  {
    auto subscription = mq.subscribe("tasks", {.prefetch = 65'000});
    std::vector<Delivery> held;
    while (held.size() < count) {
      auto got = subscription->receive(count, 5s);
      ASSERT_FALSE(got->empty());
      for (auto& one : *got) held.push_back(std::move(one));
    }
    for (const Delivery& one : held) ASSERT_EQ(one.ack(), Settling::accepted);
  }
  EXPECT_EQ(*mq.size("tasks"), 0U);
}

TEST(Settle, ACopyThatIsInTheDeadLetterQueueIsNotMadeAgain) {
  auto mq = open_scripted(); // the core publishes the copy, then acks; the ack is refused twice
  ASSERT_TRUE(mq.publish("stubborn-2", "x"));
  auto subscription = mq.subscribe("stubborn-2");
  const Delivery delivery = receive_one(*subscription);
  delivery.reject();
  EXPECT_EQ(delivery.wait_settled(10s).code(), Errc::ok);
  EXPECT_EQ(*mq.size("stubborn-2.dead"), 1U);
}

TEST(Settle, WhatIsHeldBackForItsTimeKeepsPrefetch) {
  auto mq = open_scripted(); // it cannot delay a nack: the core does
  for (int i = 0; i < 40; ++i) ASSERT_TRUE(mq.publish("tasks", "x"));
  std::atomic<int> handled{0};
  auto consumer = mq.consume("tasks", {.prefetch = 10}, [&](const Delivery&) {
    ++handled;
    return swapmq::nack(1h);
  });
  ASSERT_TRUE(eventually([&] { return handled == 10; }));
  std::this_thread::sleep_for(2200ms); // they are looked at again each second
  EXPECT_EQ(handled, 10);
  EXPECT_EQ(mq.stats("tasks")->unacked, 10U);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_FALSE(consumer->close(20s));
  EXPECT_LE(std::chrono::steady_clock::now() - before, 5s) << "an hour is not waited out";
  auto subscription = mq.subscribe("tasks", {.prefetch = 40});
  int counted = 0;
  for (int seen = 0; seen < 40;) {
    const auto got = subscription->receive(40, 5s);
    ASSERT_FALSE(got->empty());
    for (const Delivery& one : *got) counted += one.delivery_count() == 2 ? 1 : 0;
    seen += static_cast<int>(got->size());
  }
  EXPECT_EQ(counted, 10) << "they were nacked";
}

} // namespace
