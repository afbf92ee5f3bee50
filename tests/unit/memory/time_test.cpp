// SPDX-License-Identifier: MIT
//
// Delays and expiry. Where it can, a test tells the queue what time it is.
#include <array>
#include <limits>
#include <thread>

#include "queue.hpp"
#include "support.hpp"

namespace swapmq::memory::test {
namespace {

using Ids = std::vector<std::string>;

/// A queue whose clock the test sets.
class Clockwork : public ::testing::Test {
 protected:
  void publish(int64_t due_at_ms, int64_t expires_at_ms, int64_t now_ms) {
    swapmq_message message{};
    message.id = backend::bytes("id");
    message.header_size = sizeof(swapmq_header);
    message.due_at_ms = due_at_ms;
    message.expires_at_ms = expires_at_ms;
    std::array entries{Entry::make(message)};
    swapmq_publish_result result{};
    Grant grant(budget);
    ASSERT_TRUE(grant.add(entries[0]->weight()));
    queue.publish({}, entries, {&result, 1, sizeof result}, grant, now_ms, aftermath);
    EXPECT_EQ(result.outcome, SWAPMQ_PUBLISH_CONFIRMED);
  }
  Sizes at(int64_t now_ms) {
    const QueueSizes sizes = queue.sizes(now_ms, aftermath);
    aftermath.run();
    return {sizes.ready, sizes.unacked, sizes.delayed};
  }

  /// By the real clock, which alone exchange() knows.
  std::unique_ptr<backend::Batch> take() {
    const backend::ExchangeArgs args{{}, nullptr, 10, 0, backend::Deadline(0)};
    return queue.exchange(consumer, args, parker, aftermath).batch;
  }

  static constexpr int64_t kHourMs = 3'600'000;
  Budget budget{1 << 20};
  Aftermath aftermath{budget};
  Queue queue{"q", 100, budget};
  Consumer consumer{10};
  std::shared_ptr<Parker> parker = std::make_shared<Parker>();
};

TEST_F(Clockwork, DelayedBecomesReadyWhenItIsDue) {
  publish(200, 0, 100);
  publish(150, 0, 100);
  publish(0, 0, 100);
  EXPECT_EQ(at(149), (Sizes{1, 0, 2}));
  EXPECT_EQ(at(150), (Sizes{2, 0, 1}));
  EXPECT_EQ(at(1000), (Sizes{3, 0, 0}));
}

TEST_F(Clockwork, ExpiredIsDroppedReadyOrDelayed) {
  publish(0, 300, 100);
  publish(500, 200, 100);
  publish(0, 0, 100);
  EXPECT_EQ(at(199), (Sizes{2, 0, 1}));
  EXPECT_EQ(at(200), (Sizes{2, 0, 0}));
  EXPECT_EQ(at(300), (Sizes{1, 0, 0}));
  EXPECT_EQ(aftermath.expired(), 2U);
}

TEST_F(Clockwork, ExpiredGivesItsBytesBack) {
  publish(0, 300, 100);
  EXPECT_GT(budget.used(), 0U);
  at(300);
  EXPECT_EQ(budget.used(), 0U);
}

TEST_F(Clockwork, WhatIsExpiredWhenPublishedIsNeverThere) {
  publish(0, 50, 100);
  EXPECT_EQ(at(100), (Sizes{0, 0, 0}));
  aftermath.run();
  EXPECT_EQ(budget.used(), 0U);
}

TEST_F(Clockwork, PurgeDoesNotCountWhatExpired) {
  publish(0, 300, 100);
  publish(0, 0, 100);
  publish(500, 0, 100);
  EXPECT_EQ(queue.purge(400, aftermath), 2U);
}

TEST_F(Clockwork, AMessageThatWaitsForEverDisturbsNothing) {
  publish(std::numeric_limits<int64_t>::max(), 0, 100);
  publish(0, std::numeric_limits<int64_t>::max(), 100);
  EXPECT_EQ(at(std::numeric_limits<int64_t>::max() - 1), (Sizes{1, 0, 1}));
}

TEST_F(Clockwork, WhatExpiresWithAConsumerStaysThereButDoesNotComeBack) {
  const int64_t expires_at_ms = backend::unix_now_ms() + kHourMs;
  publish(0, expires_at_ms, 100);
  const auto batch = take();
  ASSERT_NE(batch, nullptr);
  EXPECT_EQ(at(expires_at_ms), (Sizes{0, 1, 0}));
  queue.give_back(consumer, expires_at_ms, aftermath);
  EXPECT_EQ(at(expires_at_ms), (Sizes{0, 0, 0}));
  EXPECT_EQ(aftermath.expired(), 1U);
  EXPECT_EQ(budget.used(), 0U);
}

TEST_F(Clockwork, WhatComesBackInTimeMayExpireLater) {
  const int64_t expires_at_ms = backend::unix_now_ms() + kHourMs;
  publish(0, expires_at_ms, 100);
  const auto batch = take();
  queue.give_back(consumer, expires_at_ms - 1, aftermath);
  EXPECT_EQ(at(expires_at_ms - 1), (Sizes{1, 0, 0}));
  EXPECT_EQ(at(expires_at_ms), (Sizes{0, 0, 0}));
}

class Time : public ::testing::Test {
 protected:
  static void pass(int64_t until_unix_ms) {
    while (backend::unix_now_ms() < until_unix_ms) std::this_thread::yield();
  }

  Backend backend = Backend::own();
  Session session{backend};
  swapmq_queue* queue = session.queue("q");
  swapmq_subscription* subscription = session.subscribe(queue);
};

TEST_F(Time, AWaiterWakesWhenADelayedMessageIsDue) {
  Draft later = draft("later");
  later.due_at_ms = backend::unix_now_ms() + 60;
  Draft much_later = draft("much later");
  much_later.due_at_ms = backend::unix_now_ms() + 3'600'000;
  session.put(queue, std::vector{much_later, later});
  const Deliveries got = session.receive(subscription, 10, kPatience);
  EXPECT_EQ(got.ids(), Ids{"later"});
  EXPECT_GE(backend::unix_now_ms(), later.due_at_ms);
  EXPECT_LT(backend::unix_now_ms(), later.due_at_ms + 10'000);
}

TEST_F(Time, ANackMayBeDelayed) {
  session.put(queue, Ids{"a"});
  const Deliveries first = session.receive(subscription, 1);
  const int64_t due_at_ms = backend::unix_now_ms() + 60;
  session.settle(subscription, first[0], SWAPMQ_SETTLE_NACK, due_at_ms);
  const Deliveries again = session.receive(subscription, 10, kPatience);
  EXPECT_GE(backend::unix_now_ms(), due_at_ms);
  EXPECT_EQ(again.ids(), Ids{"a"});
  EXPECT_EQ(again[0].delivery_count, 2U);
}

TEST_F(Time, ANackInThePastIsNotDelayed) {
  session.put(queue, Ids{"a"});
  const Deliveries got = session.receive(subscription, 1);
  session.settle(subscription, got[0], SWAPMQ_SETTLE_NACK, 1);
  EXPECT_EQ(sizes(session, queue), (Sizes{1, 0, 0}));
}

TEST_F(Time, OnlyWhatIsStillGoodIsDelivered) {
  std::vector<Draft> drafts;
  for (int i = 0; i < 3000; ++i) {
    drafts.push_back(draft(std::to_string(i)));
    if (i % 3 != 0) drafts.back().expires_at_ms = backend::unix_now_ms() + 1 + i % 2;
  }
  session.put(queue, drafts);
  pass(backend::unix_now_ms() + 3);
  const Ids got = session.drain(subscription, 1000);
  ASSERT_EQ(got.size(), 1000U);
  for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i], std::to_string(3 * i));
  EXPECT_EQ(sizes(session, queue), (Sizes{0, 0, 0}));
}

} // namespace
} // namespace swapmq::memory::test
