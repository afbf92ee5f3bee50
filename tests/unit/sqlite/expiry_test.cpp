// SPDX-License-Identifier: MIT
//
// What has expired stands in nobody's way and is not kept for ever. More of it than one transaction
// clears away (10,000) is what goes wrong first.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <string>
#include <vector>

#include "sqlite_driver.hpp"

namespace swapmq::test {
namespace {

using Ids = std::vector<std::string>;
constexpr int many = 25'000;

/// Messages whose time ended before they were published: they are stored like any other.
std::vector<Text> expired(int count, uint32_t priority = 0) {
  std::vector<Text> texts(static_cast<std::size_t>(count));
  for (Text& text : texts) {
    text.id = "expired";
    text.priority = priority;
    text.expires_at_ms = unix_ms() - 1;
  }
  return texts;
}

class Expiry : public testing::Test {
 protected:
  void publish_behind(std::vector<Text> front, const std::vector<Text>& live) {
    front.insert(front.end(), live.begin(), live.end());
    ASSERT_TRUE(session_.publish(queue_, front, milliseconds(60000)).confirmed());
  }

  /// What is delayed is due from now on.
  void fall_due() {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open((folder_ / "q.db").c_str(), &database), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, "UPDATE parked SET due_ms = 1 WHERE state = 1", nullptr,
                           nullptr, nullptr),
              SQLITE_OK);
    sqlite3_close(database);
  }

  const TempFolder folder_;
  const Opened opened_{Opened::options(folder_ / "q.db", R"("synchronous": "off")")};
  SessionPtr session_{opened_};
  swapmq_queue* queue_ = session_.queue("q");
  swapmq_subscription* subscription_ = session_.subscribe(queue_, 65'000);
};

Text text(const std::string& id, uint32_t priority = 0) {
  Text made;
  made.id = id;
  made.priority = priority;
  return made;
}

TEST_F(Expiry, ALiveMessageBehindManyIsDeliveredAtOnce) {
  publish_behind(expired(60'000), {text("live")});
  const auto began = Clock::now();
  EXPECT_EQ(session_.receive(subscription_, 1, milliseconds(60000)).ids(), Ids{"live"});
  // Six transactions that find nothing alive: with a rest of half a second after each, 3 s.
  EXPECT_LT(Clock::now() - began, milliseconds(2400));
}

TEST_F(Expiry, PriorityHoldsBehindMany) {
  publish_behind(expired(many, 9), {text("high", 9), text("low", 0)});
  EXPECT_EQ(session_.receive(subscription_, 1, milliseconds(60000)).ids(), Ids{"high"});
  EXPECT_EQ(session_.receive(subscription_, 1, milliseconds(60000)).ids(), Ids{"low"});
}

TEST_F(Expiry, WhatWasDelayedKeepsItsPlaceBehindMany) {
  std::vector<Text> texts = expired(many);
  texts.push_back(text("old"));
  const int64_t due = unix_ms() + 20'000; // by then they are stored; it need not come
  for (Text& text : texts) text.due_at_ms = due;
  publish_behind(std::move(texts), {text("new")});
  fall_due();
  const BatchPtr both = session_.receive(subscription_, 65'000, milliseconds(60000));
  EXPECT_EQ(both.ids(), (Ids{"old", "new"}));
}

TEST_F(Expiry, ADeadLetterFindsRoomWhereAllHasExpired) {
  swapmq_queue* dead = session_.queue("dead", 5);
  ASSERT_TRUE(session_.publish(dead, expired(5)).confirmed());
  ASSERT_TRUE(session_.publish_ids(queue_, {"rejected"}).confirmed());
  const BatchPtr held = session_.receive(subscription_, 1);
  ASSERT_EQ(held.size(), 1u);
  swapmq_settlement reject = settlement(held[0], SWAPMQ_SETTLE_DEAD_LETTER);
  reject.target = dead;
  const Exchanged rejected = session_.exchange(subscription_, {reject}, 0);
  EXPECT_EQ(rejected.statuses, std::vector<swapmq_status>{SWAPMQ_OK}) << rejected.outcome;
  EXPECT_EQ(sizes(session_.stats(dead)), "1/0/0");
}

TEST_F(Expiry, AQueueThatNobodyReadsDoesNotGrow) {
  const auto publish_rounds = [&](int rounds) {
    for (int i = 0; i < rounds; ++i) {
      std::vector<Text> texts = expired(500);
      for (Text& one : texts) one.body.assign(1000, 'x');
      ASSERT_TRUE(session_.publish(queue_, texts).confirmed());
    }
  };
  publish_rounds(20);
  const std::string path = folder_ / "q.db";
  const auto before = std::filesystem::file_size(path);
  publish_rounds(80);
  EXPECT_LT(std::filesystem::file_size(path), before + (8u << 20))
      << "40,000 expired messages of 1 KB are kept";
}

} // namespace
} // namespace swapmq::test
