// SPDX-License-Identifier: MIT
//
// Making, measuring, purging, deleting, listing.
#include <thread>

#include "support.hpp"

namespace swapmq::memory::test {
namespace {

using Ids = std::vector<std::string>;

class QueueAdmin : public ::testing::Test {
 protected:
  Backend backend = Backend::own();
  Session session{backend};
  swapmq_queue* queue = session.queue("q");

  static Draft hourly(const std::string& id) {
    Draft made = draft(id);
    made.due_at_ms = backend::unix_now_ms() + 3'600'000;
    return made;
  }
};

TEST_F(QueueAdmin, AHandleMakesNothing) {
  const swapmq_queue_stats stats = session.stats(queue);
  EXPECT_EQ(stats.exists, 0);
  EXPECT_EQ(session.purge(queue), 0U);
  session.remove(queue);
  EXPECT_TRUE(session.list().empty());
}

TEST_F(QueueAdmin, CreatingTwiceIsFine) {
  session.create(queue);
  session.create(queue);
  EXPECT_EQ(session.stats(queue).exists, 1);
}

TEST_F(QueueAdmin, AnotherMaxLengthConflicts) {
  session.create(queue); // without an opinion
  session.create(session.queue("q", 5));
  session.create(queue);
  swapmq_queue* contrary = session.queue("q", 6);
  Error error;
  EXPECT_EQ(vtable().create_queue(session.get(), contrary, after(kPatience), &error),
            SWAPMQ_CONFLICT);
  EXPECT_NE(error.text().find("max_length 5, not 6"), std::string::npos) << error.text();
  EXPECT_EQ(session.publish(queue, std::vector<Draft>(6, draft("x")))[5].outcome,
            SWAPMQ_PUBLISH_FAILED);
}

TEST_F(QueueAdmin, StatsAreExactAndAtomic) {
  session.put(queue, Ids{"a", "b", "c"});
  session.put(queue, std::vector{hourly("later")});
  const Deliveries got = session.receive(session.subscribe(queue), 1);
  const swapmq_queue_stats stats = session.stats(queue);
  EXPECT_EQ(stats.ready, 2U);
  EXPECT_EQ(stats.unacked, 1U);
  EXPECT_EQ(stats.delayed, 1U);
  EXPECT_EQ(stats.ready_precision, SWAPMQ_STAT_EXACT);
  EXPECT_EQ(stats.unacked_precision, SWAPMQ_STAT_EXACT);
  EXPECT_EQ(stats.delayed_precision, SWAPMQ_STAT_EXACT);
  EXPECT_EQ(stats.atomic, 1);
}

TEST_F(QueueAdmin, PurgeTakesReadyAndDelayedAndLeavesUnacked) {
  session.put(queue, Ids{"a", "b", "c"});
  session.put(queue, std::vector{hourly("later")});
  swapmq_subscription* subscription = session.subscribe(queue);
  const Deliveries got = session.receive(subscription, 1);
  EXPECT_EQ(session.purge(queue), 3U);
  EXPECT_EQ(sizes(session, queue), (Sizes{0, 1, 0}));
  session.settle(subscription, got[0], SWAPMQ_SETTLE_NACK, backend::unix_now_ms() + 3'600'000);
  EXPECT_EQ(sizes(session, queue), (Sizes{0, 0, 1}));
  EXPECT_EQ(session.purge(queue), 1U);
}

TEST_F(QueueAdmin, PurgeWithTtlsAroundKeepsTheBooks) {
  const auto fleeting = [](const std::string& id) {
    Draft made = draft(id);
    made.expires_at_ms = backend::unix_now_ms() + 3'600'000;
    return made;
  };
  swapmq_subscription* subscription = session.subscribe(queue);
  session.put(queue, std::vector{fleeting("a"), fleeting("b"), draft("c")});
  const Deliveries got = session.receive(subscription, 1);
  EXPECT_EQ(session.purge(queue), 2U);
  session.settle(subscription, got[0], SWAPMQ_SETTLE_RELEASE);
  EXPECT_EQ(session.purge(queue), 1U);
  session.put(queue, std::vector{fleeting("d")});
  EXPECT_EQ(session.drain(subscription, 1), Ids{"d"});
}

TEST_F(QueueAdmin, WhatWasUnackedWhenItWasDeletedIsLost) {
  session.put(queue, Ids{"a", "b"});
  swapmq_subscription* subscription = session.subscribe(queue, 2);
  const Deliveries got = session.receive(subscription, 2);
  session.remove(queue);
  EXPECT_EQ(session.stats(queue).exists, 0);
  EXPECT_EQ(sizes(session, queue), (Sizes{0, 0, 0}));
  EXPECT_EQ(session.ack(subscription, got[0]), SWAPMQ_LOST);
  EXPECT_EQ(session.settle(subscription, got[1], SWAPMQ_SETTLE_NACK), SWAPMQ_LOST);
  EXPECT_EQ(session.dead_letter(subscription, got[1], session.queue("dead")), SWAPMQ_LOST);
  EXPECT_EQ(got.body(1), "body of b");
  EXPECT_EQ(session.stats(queue).exists, 0);
}

TEST_F(QueueAdmin, DeletedUnderAConsumerItsCreditIsWholeAgain) {
  session.put(queue, Ids{"a", "b"});
  swapmq_subscription* subscription = session.subscribe(queue, 2);
  const Deliveries got = session.receive(subscription, 2);
  session.remove(queue);
  session.put(queue, Ids{"c", "d", "e"});
  const Deliveries fresh = session.receive(subscription, 10);
  EXPECT_EQ(fresh.ids(), (Ids{"c", "d"}));
  EXPECT_EQ(session.ack(subscription, got[0]), SWAPMQ_LOST);
  EXPECT_EQ(session.ack(subscription, fresh[0]), SWAPMQ_OK);
}

TEST_F(QueueAdmin, AWaitingConsumerSeesTheQueueMadeAgain) {
  swapmq_queue* doomed = session.queue("doomed");
  session.create(doomed);
  Ids received;
  std::thread consumer([&] {
    Session other(backend);
    received = other.drain(other.subscribe(other.queue("doomed")), 1);
  });
  session.remove(doomed); // before, while or after it waits: all must end the same way
  session.put(doomed, Ids{"a"});
  consumer.join();
  EXPECT_EQ(received, Ids{"a"});
}

TEST_F(QueueAdmin, ListsExistingQueuesInByteOrder) {
  for (const char* name : {"b", "a", "\xff", "B"}) session.create(session.queue(name));
  session.queue("only a handle");
  EXPECT_EQ(session.list(), (Ids{"B", "a", "b", "\xff"}));
  session.remove(session.queue("a"));
  EXPECT_EQ(session.list(), (Ids{"B", "b", "\xff"}));
}

TEST_F(QueueAdmin, QueuesAreApart) {
  session.put(session.queue("one"), Ids{"1"});
  session.put(session.queue("two"), Ids{"2"});
  EXPECT_EQ(session.drain(session.subscribe(session.queue("two")), 1), Ids{"2"});
  EXPECT_EQ(session.purge(session.queue("two")), 0U);
  EXPECT_EQ(session.stats(session.queue("one")).ready, 1U);
}

} // namespace
} // namespace swapmq::memory::test
