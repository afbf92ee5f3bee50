// SPDX-License-Identifier: MIT
//
// Queues as wholes: made, listed, bounded, purged, deleted, and kept apart.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "sqlite_driver.hpp"

namespace swapmq::test {
namespace {

using Ids = std::vector<std::string>;

class Queues : public testing::Test {
 protected:
  Outcome create(swapmq_queue* queue) {
    return outcome_of([&](swapmq_error* e) {
      return plugin().create_queue(session_.session, queue, in(milliseconds(10000)), e);
    });
  }
  Outcome erase(swapmq_queue* queue) {
    return outcome_of([&](swapmq_error* e) {
      return plugin().delete_queue(session_.session, queue, in(milliseconds(10000)), e);
    });
  }
  uint64_t purge(swapmq_queue* queue) {
    uint64_t removed = 0;
    const Outcome purged = outcome_of([&](swapmq_error* e) {
      return plugin().purge_queue(session_.session, queue, &removed, in(milliseconds(10000)), e);
    });
    EXPECT_TRUE(purged.ok()) << purged;
    return removed;
  }
  Ids list() {
    Ids names;
    const auto* table =
        static_cast<const swapmq_list_queues*>(plugin().extension(SWAPMQ_EXTENSION_LIST_QUEUES));
    const Outcome listed = outcome_of([&](swapmq_error* e) {
      return table->list(
          session_.session,
          [](void* to, swapmq_bytes name) { static_cast<Ids*>(to)->emplace_back(view(name)); },
          &names, in(milliseconds(10000)), e);
    });
    EXPECT_TRUE(listed.ok()) << listed;
    return names;
  }

  TempFolder folder_;
  Opened opened_{Opened::options(folder_ / "q.db")};
  SessionPtr session_{opened_, SWAPMQ_ROLE_ADMIN};
};

TEST_F(Queues, AreMadeOnceListedInByteOrderAndDeleted) {
  const Ids names = {std::string("\x01"), "B", "a", "a/../b", "\xff"};
  for (const std::string& name : names) {
    EXPECT_TRUE(create(session_.queue(name)).ok());
    EXPECT_TRUE(create(session_.queue(name)).ok()) << "making one twice is fine";
  }
  EXPECT_EQ(list(), names);
  EXPECT_TRUE(erase(session_.queue("a")).ok());
  EXPECT_TRUE(erase(session_.queue("a")).ok()) << "deleting none is fine";
  EXPECT_EQ(list().size(), names.size() - 1);
}

TEST_F(Queues, ThatDoNotExistSayso) {
  const swapmq_queue_stats none = session_.stats(session_.queue("none"));
  EXPECT_EQ(none.exists, 0);
  EXPECT_EQ(sizes(none), "0/0/0");
  EXPECT_EQ(purge(session_.queue("none")), 0u);
  ASSERT_TRUE(create(session_.queue("none")).ok());
  const swapmq_queue_stats made = session_.stats(session_.queue("none"));
  EXPECT_EQ(made.exists, 1);
  EXPECT_EQ(made.ready_precision, SWAPMQ_STAT_EXACT);
  EXPECT_EQ(made.atomic, 1);
}

TEST_F(Queues, RefuseNamesThatCannotBe) {
  const swapmq_queue_spec spec{sizeof spec, 0, 0};
  for (const std::string& name : {std::string(256, 'x'), std::string("a\0b", 3)}) {
    swapmq_queue* made = nullptr;
    const Outcome refused = outcome_of([&](swapmq_error* e) {
      return plugin().queue_open(session_.session, bytes(name), &spec, &made, e);
    });
    EXPECT_EQ(refused.status, SWAPMQ_INVALID_ARGUMENT);
    EXPECT_EQ(made, nullptr);
  }
  EXPECT_NE(session_.queue(std::string(255, 'x')), nullptr);
}

TEST_F(Queues, DoNotSeeEachOthersMessages) {
  for (const char* name : {"one", "two", "three"}) {
    ASSERT_TRUE(session_.publish_ids(session_.queue(name), {name}).confirmed());
  }
  for (const char* name : {"three", "one", "two"}) {
    const BatchPtr batch = session_.receive(session_.subscribe(session_.queue(name)), 10);
    EXPECT_EQ(batch.ids(), Ids{name});
  }
}

TEST_F(Queues, PurgeTakesReadyAndDelayedAndLeavesUnacked) {
  swapmq_queue* queue = session_.queue("q");
  ASSERT_TRUE(session_.publish_ids(queue, {"a", "b", "c", "d"}).confirmed());
  Text later;
  later.id = "later";
  later.due_at_ms = unix_ms() + 3600000;
  Text urgent;
  urgent.id = "urgent";
  urgent.priority = 9;
  urgent.expires_at_ms = unix_ms() + 3600000;
  swapmq_subscription* subscription = session_.subscribe(queue);
  const BatchPtr held = session_.receive(subscription, 3);
  ASSERT_EQ(session_.settle(subscription, held[0], SWAPMQ_SETTLE_RELEASE), SWAPMQ_OK);
  ASSERT_EQ(session_.settle(subscription, held[1], SWAPMQ_SETTLE_NACK, unix_ms() + 3600000),
            SWAPMQ_OK);
  ASSERT_TRUE(session_.publish(queue, {later, urgent}).confirmed());
  EXPECT_EQ(sizes(session_.stats(queue)), "3/1/2");
  EXPECT_EQ(purge(queue), 5u);
  EXPECT_EQ(sizes(session_.stats(queue)), "0/1/0");
  EXPECT_EQ(session_.settle(subscription, held[2], SWAPMQ_SETTLE_ACK), SWAPMQ_OK);
  ASSERT_TRUE(session_.publish_ids(queue, {"after"}).confirmed());
  EXPECT_EQ(session_.receive(subscription, 10).ids(), Ids{"after"});
}

TEST_F(Queues, DeletingOneLosesWhatIsHeldAndTheHandleStaysUsable) {
  swapmq_queue* queue = session_.queue("q");
  ASSERT_TRUE(session_.publish_ids(queue, {"a", "b", "c"}).confirmed());
  swapmq_subscription* subscription = session_.subscribe(queue, 2);
  const BatchPtr held = session_.receive(subscription, 2);
  ASSERT_TRUE(erase(queue).ok());
  EXPECT_EQ(session_.stats(queue).exists, 0);
  ASSERT_TRUE(session_.publish_ids(queue, {"new"}).confirmed());
  EXPECT_EQ(session_.settle(subscription, held[0], SWAPMQ_SETTLE_ACK), SWAPMQ_LOST);
  EXPECT_EQ(session_.settle(subscription, held[1], SWAPMQ_SETTLE_NACK), SWAPMQ_LOST);
  EXPECT_EQ(session_.receive(subscription, 2).ids(), Ids{"new"})
      << "what was lost does not take up prefetch";
  EXPECT_EQ(sizes(session_.stats(queue)), "0/1/0");
}

TEST_F(Queues, RefuseWhatIsBeyondTheirBound) {
  swapmq_queue* queue = session_.queue("q", 3);
  const Published published = session_.publish_ids(queue, {"a", "b", "c", "d"});
  ASSERT_TRUE(published.outcome.ok()) << published.outcome;
  EXPECT_EQ(published.results[2].outcome, SWAPMQ_PUBLISH_CONFIRMED);
  EXPECT_EQ(published.results[3].outcome, SWAPMQ_PUBLISH_FAILED);
  EXPECT_EQ(published.results[3].status, SWAPMQ_RESOURCE_EXHAUSTED);
  EXPECT_EQ(published.results[3].flags, SWAPMQ_ERROR_RETRYABLE);
  swapmq_subscription* subscription = session_.subscribe(queue);
  const BatchPtr batch = session_.receive(subscription, 1);
  EXPECT_TRUE(session_.publish_ids(queue, {"e"}).all(SWAPMQ_PUBLISH_FAILED))
      << "what is held counts as well";
  session_.ack_all(subscription, batch);
  EXPECT_TRUE(session_.publish_ids(queue, {"e"}).confirmed());
}

TEST_F(Queues, ABoundCountsNothingThatHasExpired) {
  swapmq_queue* queue = session_.queue("q", 1);
  Text brief;
  brief.id = "brief";
  brief.expires_at_ms = unix_ms() + 20;
  ASSERT_TRUE(session_.publish(queue, {brief}).confirmed());
  ASSERT_TRUE(eventually([&] { return unix_ms() > brief.expires_at_ms; }));
  EXPECT_TRUE(session_.publish_ids(queue, {"next"}).confirmed());
}

TEST_F(Queues, MakingOneAgainWithAnotherBoundChangesTheBound) {
  ASSERT_TRUE(session_.publish_ids(session_.queue("q", 1), {"a"}).confirmed());
  EXPECT_TRUE(session_.publish_ids(session_.queue("q", 9), {"b"}).all(SWAPMQ_PUBLISH_FAILED));
  ASSERT_TRUE(create(session_.queue("q", 2)).ok());
  EXPECT_TRUE(session_.publish_ids(session_.queue("q"), {"b"}).confirmed());
  EXPECT_TRUE(session_.publish_ids(session_.queue("q"), {"c"}).all(SWAPMQ_PUBLISH_FAILED));
  ASSERT_TRUE(create(session_.queue("q")).ok()) << "no bound given leaves the one there is";
  EXPECT_TRUE(session_.publish_ids(session_.queue("q"), {"c"}).all(SWAPMQ_PUBLISH_FAILED));
}

TEST_F(Queues, TheOptionBoundsEveryQueue) {
  const Opened bounded(Opened::options(folder_ / "b.db", "\"max_messages\": 2"));
  SessionPtr session(bounded);
  const Published published = session.publish_ids(session.queue("q", 5), {"a", "b", "c"});
  EXPECT_EQ(published.results[1].outcome, SWAPMQ_PUBLISH_CONFIRMED);
  EXPECT_EQ(published.results[2].status, SWAPMQ_RESOURCE_EXHAUSTED);
}

TEST_F(Queues, NothingNewPastPrefetchUntilSomethingIsSettled) {
  swapmq_queue* queue = session_.queue("q");
  ASSERT_TRUE(session_.publish_ids(queue, {"a", "b", "c", "d"}).confirmed());
  swapmq_subscription* subscription = session_.subscribe(queue, 2);
  const BatchPtr batch = session_.receive(subscription, 10);
  EXPECT_EQ(batch.ids(), (Ids{"a", "b"}));
  EXPECT_EQ(session_.receive(subscription, 10).size(), 0u);
  const Exchanged exchanged =
      session_.exchange(subscription, {settlement(batch[1], SWAPMQ_SETTLE_ACK)}, 10);
  EXPECT_EQ(exchanged.batch.ids(), Ids{"c"});
}

TEST_F(Queues, ANumberThatWasDeletedIsUsedAgainWithoutAMixUp) {
  swapmq_queue* first = session_.queue("first");
  ASSERT_TRUE(session_.publish_ids(first, {"old"}).confirmed());
  swapmq_subscription* subscription = session_.subscribe(first);
  const BatchPtr old = session_.receive(subscription, 1);
  ASSERT_TRUE(erase(first).ok());
  swapmq_queue* second = session_.queue("second");
  ASSERT_TRUE(session_.publish_ids(second, {"new"}).confirmed());
  swapmq_subscription* other = session_.subscribe(second);
  const BatchPtr fresh = session_.receive(other, 1);
  EXPECT_EQ(session_.settle(subscription, old[0], SWAPMQ_SETTLE_ACK), SWAPMQ_LOST);
  EXPECT_EQ(session_.settle(other, fresh[0], SWAPMQ_SETTLE_ACK), SWAPMQ_OK);
}

} // namespace
} // namespace swapmq::test
