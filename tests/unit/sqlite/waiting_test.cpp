// SPDX-License-Identifier: MIT
//
// Waiting in an exchange: until a message, the deadline or an interrupt, and no longer.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "sqlite_driver.hpp"

namespace swapmq::test {
namespace {

class Waiting : public testing::Test {
 protected:
  TempFolder folder_;
  Opened opened_{Opened::options(folder_ / "q.db")};
  SessionPtr publisher_{opened_, SWAPMQ_ROLE_PUBLISH};
  SessionPtr consumer_{opened_, SWAPMQ_ROLE_CONSUME};
  swapmq_queue* to_ = publisher_.queue("tasks");
  swapmq_queue* from_ = consumer_.queue("tasks");
  swapmq_subscription* subscription_ = consumer_.subscribe(from_);
};

TEST_F(Waiting, EndsAtTheDeadline) {
  const auto begin = Clock::now();
  const Exchanged exchanged = consumer_.exchange(subscription_, {}, 1, milliseconds(120));
  const auto took = Clock::now() - begin;
  EXPECT_TRUE(exchanged.outcome.ok());
  EXPECT_EQ(exchanged.batch.size(), 0u);
  EXPECT_GE(took, milliseconds(115));
  EXPECT_LT(took, milliseconds(2000));
}

TEST_F(Waiting, EndsWhenTheFileIsGone) {
  ASSERT_TRUE(publisher_.publish_ids(to_, {"a"}).confirmed());
  consumer_.ack_all(subscription_, consumer_.receive(subscription_, 1)); // no lease to renew
  for (const char* name : {"q.db", "q.db-wal", "q.db-shm", "q.db-peers"}) {
    std::filesystem::remove(folder_ / name);
  }
  const Exchanged exchanged = consumer_.exchange(subscription_, {}, 1, milliseconds(20000));
  EXPECT_EQ(exchanged.outcome.status, SWAPMQ_UNAVAILABLE);
  EXPECT_NE(exchanged.outcome.text.find("moved, deleted or replaced"), std::string::npos);
  EXPECT_NE(exchanged.outcome.flags & SWAPMQ_ERROR_SESSION_DEAD, 0u);
  const Outcome serviced = outcome_of([&](swapmq_error* e) {
    return plugin().service(consumer_.session, in(milliseconds(1000)), e);
  });
  EXPECT_EQ(serviced.status, SWAPMQ_UNAVAILABLE);
}

TEST_F(Waiting, EndsWithAMessageOfTheSameProcess) {
  std::thread publishing([&] {
    std::this_thread::sleep_for(milliseconds(50)); // most likely the other waits by now
    EXPECT_TRUE(publisher_.publish_ids(to_, {"a"}).confirmed());
  });
  const auto begin = Clock::now();
  const BatchPtr batch = consumer_.receive(subscription_, 1, milliseconds(20000));
  EXPECT_EQ(batch.size(), 1u);
  EXPECT_LT(Clock::now() - begin, milliseconds(10000));
  publishing.join();
}

TEST_F(Waiting, IsWokenAtOnceAgainAndAgain) {
  // A waiter that is not woken looks up by itself after half a second: 40 of them would take 20 s.
  constexpr int kRounds = 40;
  std::thread publishing([&] {
    for (int i = 0; i < kRounds; ++i) {
      ASSERT_TRUE(publisher_.publish_ids(to_, {std::to_string(i)}).confirmed());
      ASSERT_TRUE(eventually([&] { return sizes(publisher_.stats(to_)) == "0/0/0"; }));
    }
  });
  const auto begin = Clock::now();
  for (int i = 0; i < kRounds; ++i) {
    const BatchPtr batch = consumer_.receive(subscription_, 1, milliseconds(20000));
    ASSERT_EQ(batch.size(), 1u);
    consumer_.ack_all(subscription_, batch);
  }
  EXPECT_LT(Clock::now() - begin, milliseconds(10000));
  publishing.join();
}

TEST_F(Waiting, EndsWithAnInterrupt) {
  std::thread interrupting([&] {
    std::this_thread::sleep_for(milliseconds(50));
    plugin().interrupt(consumer_.session);
  });
  const Exchanged exchanged = consumer_.exchange(subscription_, {}, 1, milliseconds(20000));
  EXPECT_EQ(exchanged.outcome.status, SWAPMQ_INTERRUPTED);
  interrupting.join();
}

TEST_F(Waiting, AnInterruptJustBeforeCountsOnce) {
  plugin().interrupt(consumer_.session);
  plugin().interrupt(consumer_.session);
  EXPECT_TRUE(consumer_.exchange(subscription_, {}, 0).outcome.ok()) << "it receives nothing";
  const auto begin = Clock::now();
  EXPECT_EQ(consumer_.exchange(subscription_, {}, 1, milliseconds(20000)).outcome.status,
            SWAPMQ_INTERRUPTED);
  EXPECT_LT(Clock::now() - begin, milliseconds(10000));
  EXPECT_EQ(consumer_.exchange(subscription_, {}, 1, milliseconds(20)).outcome.status, SWAPMQ_OK);
}

TEST_F(Waiting, AnInterruptDoesNotKeepBackWhatIsThere) {
  ASSERT_TRUE(publisher_.publish_ids(to_, {"a"}).confirmed());
  plugin().interrupt(consumer_.session);
  EXPECT_EQ(consumer_.exchange(subscription_, {}, 1, milliseconds(20000)).batch.size(), 1u);
  EXPECT_EQ(consumer_.exchange(subscription_, {}, 1, milliseconds(20)).outcome.status, SWAPMQ_OK)
      << "it counted for the exchange before";
}

TEST_F(Waiting, NoInterruptIsLostInARace) {
  for (int i = 0; i < 200; ++i) {
    std::thread interrupting([&] { plugin().interrupt(consumer_.session); });
    const auto begin = Clock::now();
    ASSERT_EQ(consumer_.exchange(subscription_, {}, 1, milliseconds(20000)).outcome.status,
              SWAPMQ_INTERRUPTED);
    ASSERT_LT(Clock::now() - begin, milliseconds(10000));
    interrupting.join();
  }
}

TEST_F(Waiting, SettlementsAreFinalAlsoWhenInterrupted) {
  ASSERT_TRUE(publisher_.publish_ids(to_, {"a"}).confirmed());
  const BatchPtr batch = consumer_.receive(subscription_, 1);
  plugin().interrupt(consumer_.session);
  const Exchanged exchanged = consumer_.exchange(
      subscription_, {settlement(batch[0], SWAPMQ_SETTLE_ACK)}, 1, milliseconds(20000));
  EXPECT_EQ(exchanged.outcome.status, SWAPMQ_INTERRUPTED);
  EXPECT_EQ(exchanged.statuses[0], SWAPMQ_OK);
  EXPECT_EQ(sizes(consumer_.stats(from_)), "0/0/0");
}

TEST_F(Waiting, WakesForADelayedMessageThatIsPublishedMeanwhile) {
  const int64_t due = unix_ms() + 120;
  std::thread publishing([&] {
    Text text;
    text.id = "a";
    text.due_at_ms = due;
    EXPECT_TRUE(publisher_.publish(to_, {text}).confirmed());
  });
  const BatchPtr batch = consumer_.receive(subscription_, 1, milliseconds(20000));
  ASSERT_EQ(batch.size(), 1u);
  EXPECT_GE(unix_ms(), due);
  EXPECT_LT(unix_ms() - due, 2000);
  publishing.join();
}

TEST_F(Waiting, WakesForWhatAnotherConsumerGivesBack) {
  SessionPtr other(opened_);
  swapmq_subscription* theirs = other.subscribe(other.queue("tasks"));
  ASSERT_TRUE(publisher_.publish_ids(to_, {"a"}).confirmed());
  ASSERT_EQ(other.receive(theirs, 1).size(), 1u);
  std::thread closing([&] {
    std::this_thread::sleep_for(milliseconds(30));
    other.close();
  });
  const auto begin = Clock::now();
  const BatchPtr batch = consumer_.receive(subscription_, 1, milliseconds(20000));
  EXPECT_LT(Clock::now() - begin, milliseconds(10000));
  ASSERT_EQ(batch.size(), 1u);
  EXPECT_EQ(batch[0].delivery_count, 1u);
  closing.join();
}

} // namespace
} // namespace swapmq::test
