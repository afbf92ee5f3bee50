// SPDX-License-Identifier: MIT
//
// A damaged file is refused, and nothing is delivered from it.
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <fstream>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "sqlite_driver.hpp"

namespace swapmq::test {
namespace {

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_file(const std::string& path, const std::string& contents) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(contents.data(), static_cast<std::streamsize>(contents.size()));
}

class Damage : public testing::Test {
 protected:
  void SetUp() override {
    const Opened opened(Opened::options(path_));
    ASSERT_TRUE(opened.outcome.ok()) << opened.outcome;
    SessionPtr session(opened);
    std::vector<Text> texts(20);
    for (std::size_t i = 0; i < texts.size(); ++i) {
      texts[i].id = "id-" + std::to_string(i);
      texts[i].body = "unmistakable body " + std::to_string(i) + std::string(300, 'b');
      texts[i].headers = {{"header", "value " + std::to_string(i)}};
      bodies_.insert(texts[i].id + texts[i].body);
    }
    ASSERT_TRUE(session.publish(session.queue("q"), texts).confirmed());
  }
  void sql(const std::string& text) {
    sqlite3* handle = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &handle), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(handle, text.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(handle);
    sqlite3_close(handle);
  }

  /// A claim of three is made to count two, which are settled: the third would be nobody's.
  void settle_too_few_of_a_claim() {
    const Opened opened(Opened::options(path_));
    ASSERT_TRUE(opened.outcome.ok()) << opened.outcome;
    SessionPtr session(opened);
    swapmq_subscription* subscription = session.subscribe(session.queue("q"));
    BatchPtr batch = session.receive(subscription, 3);
    ASSERT_EQ(batch.size(), 3u);
    sql("UPDATE claims SET held = 2");
    const Exchanged refused = session.exchange(
        subscription,
        {settlement(batch[0], SWAPMQ_SETTLE_ACK), settlement(batch[1], SWAPMQ_SETTLE_ACK)}, 0,
        milliseconds(0));
    EXPECT_EQ(refused.outcome.status, SWAPMQ_CORRUPT) << refused.outcome;
    EXPECT_NE(refused.outcome.text.find("holds more messages"), std::string::npos)
        << refused.outcome;
  }

  TempFolder folder_;
  std::string path_ = folder_ / "q.db";
  std::set<std::string> bodies_;
};

TEST_F(Damage, AClaimThatHoldsFewerThanNothingIsNotSettled) {
  const Opened opened(Opened::options(path_));
  ASSERT_TRUE(opened.outcome.ok()) << opened.outcome;
  SessionPtr session(opened);
  swapmq_subscription* subscription = session.subscribe(session.queue("q"));
  BatchPtr batch = session.receive(subscription, 2);
  ASSERT_EQ(batch.size(), 2u);
  sql("UPDATE claims SET held = -1");
  const Exchanged refused =
      session.exchange(subscription, {settlement(batch[0], SWAPMQ_SETTLE_ACK)}, 0, milliseconds(0));
  EXPECT_EQ(refused.outcome.status, SWAPMQ_CORRUPT) << refused.outcome;
}

TEST_F(Damage, AClaimThatCountsTooFewIsNotForgotten) { settle_too_few_of_a_claim(); }

TEST_F(Damage, AClaimOnMessagesThatCameBackAndCountsTooFewIsNotForgotten) {
  {
    const Opened opened(Opened::options(path_));
    SessionPtr session(opened);
    ASSERT_EQ(session.receive(session.subscribe(session.queue("q")), 3).size(), 3u);
  }
  settle_too_few_of_a_claim();
}

TEST_F(Damage, AChangedBodyIsNotDelivered) {
  std::string contents = read_file(path_);
  int changed = 0;
  // Also where the page once held it: the file does not say which copy counts.
  for (std::size_t at = 0; (at = contents.find("unmistakable body 7", at)) != std::string::npos;) {
    contents[at] = 'U';
    ++changed;
  }
  ASSERT_GT(changed, 0);
  write_file(path_, contents);
  const Opened opened(Opened::options(path_));
  ASSERT_TRUE(opened.outcome.ok()) << opened.outcome;
  SessionPtr session(opened);
  swapmq_queue* queue = session.queue("q");
  swapmq_subscription* subscription = session.subscribe(queue);
  BatchPtr before = session.receive(subscription, 5);
  ASSERT_EQ(before.size(), 5u);
  const Exchanged refused = session.exchange(
      subscription, {settlement(before[0], SWAPMQ_SETTLE_ACK)}, 10, milliseconds(0));
  EXPECT_EQ(refused.outcome.status, SWAPMQ_CORRUPT) << refused.outcome;
  EXPECT_NE(refused.outcome.text.find(path_), std::string::npos) << refused.outcome;
  EXPECT_EQ(refused.batch.size(), 0u);
  EXPECT_EQ(refused.statuses[0], SWAPMQ_OK) << "what is in hand may still be settled";
  EXPECT_EQ(session.publish_ids(queue, {"x"}).outcome.status, SWAPMQ_CORRUPT);
  EXPECT_EQ(session.exchange(subscription, {}, 1).outcome.status, SWAPMQ_CORRUPT);
  const Opened again(Opened::options(path_));
  EXPECT_EQ(again.outcome.status, SWAPMQ_CORRUPT) << "known to be damaged in this process";
}

TEST_F(Damage, RowsThatWereMovedOrChangedAreNotDelivered) {
  for (const char* change :
       {"UPDATE messages SET id = x'00' WHERE id = CAST('id-0' AS BLOB)",
        "UPDATE messages SET sent_ms = 1", "UPDATE messages SET extra = x'0801000000ff'",
        "UPDATE messages SET expires_ms = 99999999999999", "UPDATE messages SET checksum = 0",
        "UPDATE messages SET key = key + 1000", "DELETE FROM messages WHERE rowid % 2 = 0",
        "UPDATE lanes SET fresh = fresh + 1", "UPDATE lanes SET fresh = fresh - 1"}) {
    const std::string whole = read_file(path_);
    sql(change);
    {
      const Opened opened(Opened::options(path_));
      ASSERT_TRUE(opened.outcome.ok()) << opened.outcome;
      SessionPtr session(opened);
      const Exchanged refused = session.exchange(session.subscribe(session.queue("q")), {}, 100);
      EXPECT_EQ(refused.outcome.status, SWAPMQ_CORRUPT) << change << ": " << refused.outcome;
      EXPECT_EQ(refused.batch.size(), 0u) << change;
    }
    write_file(path_, whole);
  }
}

/// Bytes overwritten at random: whatever is delivered from the file must be as it was published.
TEST_F(Damage, RandomDamageNeverReachesAConsumer) {
  const std::string whole = read_file(path_);
  std::mt19937 random(20240607);
  int noticed = 0;
  for (int round = 0; round < 150; ++round) {
    std::string damaged = whole;
    const std::size_t run = 1 + random() % 64;
    const std::size_t at = random() % (damaged.size() - run);
    for (std::size_t i = 0; i < run; ++i) damaged[at + i] = static_cast<char>(random());
    write_file(path_, damaged);
    for (const char* suffix : {"-wal", "-shm"}) std::filesystem::remove(path_ + suffix);
    const Opened opened(Opened::options(path_, "\"synchronous\": \"off\""));
    if (!opened.outcome.ok()) {
      EXPECT_NE(opened.outcome.status, SWAPMQ_INTERNAL) << opened.outcome;
      ++noticed;
      continue;
    }
    SessionPtr session(opened);
    if (!session.outcome.ok()) continue;
    swapmq_subscription* subscription = nullptr;
    const swapmq_subscribe_args args{sizeof args, 1000, 0, in(milliseconds(10000))};
    swapmq_queue* queue = session.queue("q");
    const Outcome subscribed = outcome_of([&](swapmq_error* e) {
      return plugin().subscribe(session.session, queue, &args, &subscription, e);
    });
    if (!subscribed.ok()) {
      ++noticed;
      continue;
    }
    const Exchanged exchanged = session.exchange(subscription, {}, 100);
    if (!exchanged.outcome.ok()) ++noticed;
    for (std::size_t i = 0; i < exchanged.batch.size(); ++i) {
      EXPECT_EQ(bodies_.count(exchanged.batch.id(i) + exchanged.batch.body(i)), 1u)
          << "round " << round << " at byte " << at;
    }
  }
  EXPECT_GT(noticed, 0);
}

} // namespace
} // namespace swapmq::test
