// SPDX-License-Identifier: MIT
//
// A full disk is a failed publish and not a loss; a disk that fails is in doubt and not a lie.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <set>
#include <string>
#include <vector>

#include "crash_vfs.hpp"
#include "sqlite_driver.hpp"

namespace swapmq::test {
namespace {

class DiskFull : public testing::Test {
 protected:
  Published publish(const std::string& id, std::size_t size) {
    Text text;
    text.id = id;
    text.body.assign(size, 'x');
    return publisher_.publish(to_, {text});
  }
  std::multiset<std::string> drain() {
    std::multiset<std::string> ids;
    for (;;) {
      const BatchPtr batch = consumer_.receive(subscription_, 100);
      if (batch.size() == 0) return ids;
      for (const std::string& id : batch.ids()) ids.insert(id);
      consumer_.ack_all(subscription_, batch);
    }
  }

  TempFolder folder_;
  CrashDisk disk_; // before what opens files, so that it goes after it
  Opened opened_{Opened::options(folder_ / "q.db")};
  SessionPtr publisher_{opened_, SWAPMQ_ROLE_PUBLISH};
  SessionPtr consumer_{opened_};
  swapmq_queue* to_ = publisher_.queue("q");
  swapmq_subscription* subscription_ = consumer_.subscribe(consumer_.queue("q"), 100000);
};

TEST_F(DiskFull, APublishFailsForCertainAndLaterOnesSucceed) {
  std::multiset<std::string> confirmed;
  int failures = 0;
  int next = 0;
  // From no room at all to room for all but the last byte, in every place of the transaction.
  for (int64_t room = 0; room < 60'000; room += 997) {
    disk_.set_room(room);
    const std::string id = "tight-" + std::to_string(next++);
    const Published published = publish(id, 30'000);
    if (published.confirmed()) {
      confirmed.insert(id);
    } else {
      ++failures;
      EXPECT_EQ(published.outcome.status, SWAPMQ_RESOURCE_EXHAUSTED) << published.outcome;
      EXPECT_EQ(published.outcome.flags, SWAPMQ_ERROR_RETRYABLE);
      EXPECT_TRUE(published.all(SWAPMQ_PUBLISH_FAILED));
      EXPECT_EQ(published.results[0].status, SWAPMQ_RESOURCE_EXHAUSTED);
      EXPECT_EQ(published.results[0].flags, SWAPMQ_ERROR_RETRYABLE);
    }
    disk_.set_room(-1);
    const std::string after = "roomy-" + std::to_string(next++);
    const Published again = publish(after, 100);
    ASSERT_TRUE(again.confirmed()) << again.outcome;
    confirmed.insert(after);
  }
  EXPECT_GT(failures, 10);
  EXPECT_LT(failures, 60) << "some must have found room";
  EXPECT_EQ(drain(), confirmed);
}

TEST_F(DiskFull, WhatIsHeldStaysHeldWhenItsAckFindsNoRoom) {
  ASSERT_TRUE(publish("a", 100).confirmed());
  const BatchPtr batch = consumer_.receive(subscription_, 1);
  ASSERT_EQ(batch.size(), 1u);
  disk_.set_room(0);
  const Exchanged failed =
      consumer_.exchange(subscription_, {settlement(batch[0], SWAPMQ_SETTLE_ACK)}, 0);
  EXPECT_EQ(failed.outcome.status, SWAPMQ_RESOURCE_EXHAUSTED) << failed.outcome;
  EXPECT_EQ(failed.statuses[0], SWAPMQ_STATUS_UNTOUCHED);
  disk_.set_room(-1);
  EXPECT_EQ(sizes(consumer_.stats(consumer_.queue("q"))), "0/1/0");
  EXPECT_EQ(consumer_.settle(subscription_, batch[0], SWAPMQ_SETTLE_ACK), SWAPMQ_OK);
  EXPECT_TRUE(drain().empty());
}

TEST_F(DiskFull, AMessageThatCannotBeClaimedIsClaimedLater) {
  ASSERT_TRUE(publish("a", 100).confirmed());
  disk_.set_room(0);
  const Exchanged failed = consumer_.exchange(subscription_, {}, 1);
  EXPECT_EQ(failed.outcome.status, SWAPMQ_RESOURCE_EXHAUSTED) << failed.outcome;
  disk_.set_room(-1);
  const BatchPtr batch = consumer_.receive(subscription_, 1);
  ASSERT_EQ(batch.size(), 1u);
  EXPECT_EQ(batch[0].delivery_count, 1u);
}

TEST_F(DiskFull, ASyncThatFailsLeavesThePublishInDoubt) {
  ASSERT_TRUE(publish("before", 100).confirmed());
  disk_.fail_next_sync("-wal", SQLITE_IOERR_FSYNC);
  const Published doubtful = publish("doubtful", 100);
  EXPECT_EQ(doubtful.outcome.status, SWAPMQ_UNAVAILABLE) << doubtful.outcome;
  EXPECT_TRUE(doubtful.all(SWAPMQ_PUBLISH_IN_DOUBT));
  const Published retried = publish("doubtful", 100);
  ASSERT_TRUE(retried.confirmed()) << retried.outcome;
  const auto ids = drain();
  EXPECT_EQ(ids.count("before"), 1u);
  EXPECT_GE(ids.count("doubtful"), 1u);
}

TEST_F(DiskFull, AWriteThatFailsIsNeverConfirmed) {
  ASSERT_TRUE(publish("before", 100).confirmed());
  disk_.fail_next_write("-wal", SQLITE_IOERR_WRITE);
  const Published doubtful = publish("doubtful", 100);
  EXPECT_FALSE(doubtful.outcome.ok());
  EXPECT_FALSE(doubtful.all(SWAPMQ_PUBLISH_CONFIRMED));
  ASSERT_TRUE(publish("after", 100).confirmed());
  const auto ids = drain();
  EXPECT_EQ(ids.count("before"), 1u);
  EXPECT_EQ(ids.count("after"), 1u);
}

} // namespace
} // namespace swapmq::test
