// SPDX-License-Identifier: MIT
//
// Delays, expiry, priority.
#include <algorithm>
#include <optional>

#include "fixture.h"

namespace swapmq::contract {
namespace {

/// Wall clocks are read in whole milliseconds, on both sides.
constexpr std::int64_t kEarlyMs = 2;

class Times : public Contract {
 protected:
  void SetUp() override {
    Contract::SetUp();
    name_ = fresh_queue("times");
    session_.emplace(consumer());
  }

  Subscription subscribed(std::uint32_t prefetch = 50) {
    return session_->subscribe(session_->queue(name_), prefetch);
  }

  /// Came, not before `due_ms`, and not much after it.
  static void expect_on_time(std::int64_t due_ms) {
    const std::int64_t now = unix_now_ms();
    EXPECT_GE(now, due_ms - kEarlyMs) << "came early";
    EXPECT_LE(now, due_ms + kit().options.tolerance.count()) << "came late";
  }

  std::string name_;
  std::optional<Session> session_;
};

Message due(const std::string& body, std::int64_t due_at_ms) {
  Message made = message(body);
  made.due_at_ms = due_at_ms;
  return made;
}

Message expiring(const std::string& body, std::int64_t expires_at_ms) {
  Message made = message(body);
  made.expires_at_ms = expires_at_ms;
  return made;
}

CONTRACT_TEST(Times, APublishedDelayIsKept,
              "swapmq_message.due_at_ms; swapmq_capabilities.delayed_publish",
              "a message is not delivered before due_at_ms, and soon after it") {
  NEEDS(delayed_publish);
  Subscription subscription = subscribed();
  const std::int64_t at = unix_now_ms() + 400;
  fill(name_, due("delayed", at));
  EXPECT_EQ(subscription.poll(1, milliseconds(50)).size(), 0u);
  const Deliveries got = subscription.receive(1);
  expect_on_time(at);
  EXPECT_EQ(got[0].delivery_count, 1u);
  EXPECT_EQ(got[0].message->due_at_ms, at);
  subscription.ack_all(got);
}

CONTRACT_TEST(Times, AWaitEndsWhenAMessageIsDue, "exchange(); swapmq_message.due_at_ms",
              "an exchange that waits returns when a message becomes due") {
  NEEDS(delayed_publish);
  Subscription subscription = subscribed();
  const std::int64_t at = unix_now_ms() + 300;
  fill(name_, due("due", at));
  const Exchanged result = subscription.exchange({}, 1, in(milliseconds(5000)));
  ASSERT_EQ(result.batch.size(), 1u);
  expect_on_time(at);
  subscription.settle(ack(result.batch[0]));
}

CONTRACT_TEST(Times, DelayedOnesDoNotHoldUpOthers, "swapmq_message.due_at_ms",
              "messages that are due are delivered before those that wait for their time") {
  NEEDS(delayed_publish);
  const std::int64_t at = unix_now_ms() + 600;
  fill(name_, std::vector{due("later", at), message("now"), due("past", unix_now_ms() - 1000)});
  Subscription subscription = subscribed();
  const Deliveries now = subscription.receive(2);
  EXPECT_LT(unix_now_ms(), at) << "came with the delayed one";
  EXPECT_EQ(sorted(now.bodies()), (std::vector<std::string>{"now", "past"}));
  expect_stats(name_, 0, 2, 1);
  subscription.ack_all(now);
  subscription.ack_all(subscription.receive(1));
}

CONTRACT_TEST(Times, DelayedOnesComeAsTheyAreDue, "swapmq_message.due_at_ms",
              "delayed messages come in the order of their due times") {
  NEEDS(delayed_publish);
  const std::int64_t now = unix_now_ms();
  fill(name_, std::vector{due("c", now + 600), due("a", now + 200), due("b", now + 400)});
  Subscription subscription = subscribed();
  for (const std::int64_t wait : {200, 400, 600}) {
    const Deliveries got = subscription.receive(1);
    EXPECT_EQ(got.body(0), wait == 200 ? "a" : wait == 400 ? "b" : "c");
    expect_on_time(now + wait);
    subscription.ack_all(got);
  }
}

CONTRACT_TEST(
    Times, ANackedDelayIsKept, "swapmq_settlement.due_at_ms; swapmq_capabilities.delayed_nack",
    "a nacked message is not delivered again before the nack's due_at_ms, and is counted") {
  NEEDS(delayed_nack);
  fill(name_, std::vector{message("nacked"), message("other")});
  Subscription subscription = subscribed();
  Deliveries got = subscription.receive(2);
  const std::int64_t at = unix_now_ms() + 400;
  const std::vector settlements{nack(got[0], at), ack(got[1])};
  EXPECT_EQ(subscription.settle(settlements), std::vector<swapmq_status>(2, SWAPMQ_OK));
  expect_stats(name_, 0, 0, 1);
  EXPECT_EQ(subscription.poll(1, milliseconds(50)).size(), 0u);
  const Deliveries again = subscription.receive(1);
  expect_on_time(at);
  EXPECT_EQ(again[0].delivery_count, 2u) << "a nack with a delay is counted like any";
  EXPECT_EQ(again.body(0), got.body(0));
  subscription.ack_all(again);
}

CONTRACT_TEST(Times, ANackedDelayOutlivesItsConsumer,
              "swapmq_settlement.due_at_ms; swapmq_capabilities.delayed_nack",
              "a nack's delay is kept when its session is closed") {
  NEEDS(delayed_nack);
  fill(name_, message("nacked"));
  const std::int64_t at = unix_now_ms() + 400;
  {
    Session other = consumer();
    Subscription subscription = other.subscribe(other.queue(name_), 1);
    const Deliveries got = subscription.receive(1);
    ASSERT_EQ(subscription.settle(nack(got[0], at)), SWAPMQ_OK);
  }
  Subscription subscription = subscribed();
  const Deliveries again = subscription.receive(1);
  expect_on_time(at);
  subscription.ack_all(again);
}

CONTRACT_TEST(Times, AnExpiredMessageIsNotDelivered,
              "swapmq_message.expires_at_ms; swapmq_capabilities.ttl",
              "a message is not delivered after expires_at_ms") {
  NEEDS(ttl);
  Session session = publisher();
  const std::vector sent{expiring("soon", unix_now_ms() + 150), message("stays"),
                         expiring("not yet", unix_now_ms() + 600000)};
  session.confirm(session.queue(name_), sent);
  // Published when it is already past: confirmed and never seen, or refused; not delivered.
  std::vector<swapmq_publish_result> results;
  session.publish(session.queue(name_), std::vector{expiring("past", unix_now_ms() - 10)}, results,
                  soon());
  std::this_thread::sleep_until(Clock::now() + milliseconds(200)); // time itself is the matter
  expect_stats(name_, 2, 0, 0);
  EXPECT_EQ(sorted(drain(name_, 2)), (std::vector<std::string>{"not yet", "stays"}));
}

CONTRACT_TEST(Times, AMessageExpiresWhileItsConsumerWaits,
              "swapmq_message.expires_at_ms; swapmq_capabilities.ttl",
              "a message that expires before it is due is never delivered") {
  NEEDS(ttl);
  NEEDS(delayed_publish);
  Message never = due("never", unix_now_ms() + 300);
  never.expires_at_ms = unix_now_ms() + 150;
  fill(name_, never);
  Subscription subscription = subscribed();
  EXPECT_EQ(subscription.poll(1, milliseconds(450)).size(), 0u) << "due after it expired";
}

CONTRACT_TEST(Times, AMovedMessageKeepsItsCountsAndTimes,
              "swapmq_message.delivery_count; swapmq_message.first_published_ms",
              "a moved message keeps its times and goes on with its counts") {
  NEEDS(delayed_publish);
  constexpr std::int64_t kHourMs = 3600 * 1000;
  Subscription subscription = subscribed();
  Message moved = due("moved", unix_now_ms() + 500); // as a move between backends publishes it
  moved.delivery_count = 3;
  moved.timestamp_ms = unix_now_ms() - 5000;
  moved.first_published_ms = unix_now_ms() - 10 * kHourMs;
  if (can().ttl != SWAPMQ_ABSENT) moved.expires_at_ms = unix_now_ms() + 2 * kHourMs;
  fill(name_, moved);
  const Deliveries got = subscription.receive(1);
  expect_on_time(moved.due_at_ms);
  EXPECT_EQ(difference(moved, copy(*got[0].message)), "");
  EXPECT_EQ(got[0].delivery_count, 4u) << "three were counted elsewhere";
  ASSERT_EQ(subscription.settle(nack(got[0])), SWAPMQ_OK);
  const Deliveries again = subscription.receive(1);
  EXPECT_EQ(again[0].delivery_count, 5u);
  EXPECT_EQ(again[0].message->timestamp_ms, moved.timestamp_ms);
  EXPECT_EQ(again[0].message->first_published_ms, moved.first_published_ms);
  EXPECT_EQ(again[0].message->expires_at_ms, moved.expires_at_ms);
  subscription.ack_all(again);
}

CONTRACT_TEST(Times, HigherPriorityComesFirst, "swapmq_capabilities.priority",
              "of what is ready higher priorities are delivered first") {
  NEEDS(priority);
  NEEDS_AT_LEAST(ordering, SWAPMQ_ORDERING_QUEUE);
  std::vector<Message> sent;
  std::vector<std::string> expected;
  for (const std::uint32_t priority : {0u, 9u, 5u, 1u, 9u, 0u, 5u}) {
    if (limits().max_priority != 0 && priority > limits().max_priority) continue;
    sent.push_back(message("priority " + std::to_string(priority)));
    sent.back().priority = priority;
    expected.push_back(sent.back().body);
  }
  fill(name_, sent);
  std::sort(expected.rbegin(), expected.rend());
  EXPECT_EQ(drain(name_, expected.size()), expected);
}

CONTRACT_TEST(Times, OneOfHighPriorityOvertakesABacklog, "swapmq_capabilities.priority",
              "a message of higher priority overtakes those that are ready already") {
  NEEDS(priority);
  fill(name_, messages("backlog", 50));
  Message urgent = message("urgent");
  urgent.priority = 1;
  fill(name_, urgent);
  Subscription subscription = subscribed(1);
  const Deliveries first = subscription.receive(1);
  EXPECT_EQ(first.body(0), "urgent");
}

} // namespace
} // namespace swapmq::contract
