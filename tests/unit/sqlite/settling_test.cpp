// SPDX-License-Identifier: MIT
//
// Ack, nack, release, dead-letter: what each does to the message, its count and its place.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sqlite_driver.hpp"

namespace swapmq::test {
namespace {

using Ids = std::vector<std::string>;

class Settling : public testing::Test {
 protected:
  void publish(const Ids& ids) { ASSERT_TRUE(publisher_.publish_ids(to_, ids).confirmed()); }

  TempFolder folder_;
  Opened opened_{Opened::options(folder_ / "q.db")};
  SessionPtr publisher_{opened_, SWAPMQ_ROLE_PUBLISH};
  SessionPtr consumer_{opened_, SWAPMQ_ROLE_CONSUME};
  swapmq_queue* to_ = publisher_.queue("tasks");
  swapmq_queue* from_ = consumer_.queue("tasks");
  swapmq_subscription* subscription_ = consumer_.subscribe(from_);
};

TEST_F(Settling, ASecondSettlementIsLostAndHarmless) {
  publish({"a", "b"});
  const BatchPtr batch = consumer_.receive(subscription_, 2);
  ASSERT_EQ(batch.size(), 2u);
  EXPECT_EQ(consumer_.settle(subscription_, batch[0], SWAPMQ_SETTLE_ACK), SWAPMQ_OK);
  for (const int32_t action : {SWAPMQ_SETTLE_ACK, SWAPMQ_SETTLE_NACK, SWAPMQ_SETTLE_RELEASE}) {
    EXPECT_EQ(consumer_.settle(subscription_, batch[0], action), SWAPMQ_LOST);
  }
  EXPECT_EQ(consumer_.settle(subscription_, batch[1], SWAPMQ_SETTLE_NACK), SWAPMQ_OK);
  EXPECT_EQ(consumer_.settle(subscription_, batch[1], SWAPMQ_SETTLE_ACK), SWAPMQ_LOST);
  EXPECT_EQ(sizes(consumer_.stats(from_)), "1/0/0");
  const Exchanged twice = consumer_.exchange(
      subscription_, {settlement(consumer_.receive(subscription_, 1)[0], SWAPMQ_SETTLE_ACK)}, 0);
  EXPECT_EQ(twice.statuses, std::vector<swapmq_status>{SWAPMQ_OK});
  EXPECT_EQ(sizes(consumer_.stats(from_)), "0/0/0");
}

TEST_F(Settling, TwiceInOneCallIsLostTheSecondTime) {
  publish({"a", "b"});
  const BatchPtr batch = consumer_.receive(subscription_, 2);
  const Exchanged exchanged = consumer_.exchange(
      subscription_,
      {settlement(batch[0], SWAPMQ_SETTLE_ACK), settlement(batch[0], SWAPMQ_SETTLE_NACK),
       settlement(batch[1], SWAPMQ_SETTLE_RELEASE), settlement(batch[1], SWAPMQ_SETTLE_ACK)},
      0);
  EXPECT_EQ(exchanged.statuses,
            (std::vector<swapmq_status>{SWAPMQ_OK, SWAPMQ_LOST, SWAPMQ_OK, SWAPMQ_LOST}));
  EXPECT_EQ(sizes(consumer_.stats(from_)), "1/0/0");
}

TEST_F(Settling, NacksAreCountedReleasesAreNot) {
  publish({"a"});
  uint32_t expected = 1;
  for (int round = 0; round < 6; ++round) {
    const BatchPtr batch = consumer_.receive(subscription_, 1);
    ASSERT_EQ(batch.size(), 1u);
    EXPECT_EQ(batch[0].delivery_count, expected);
    EXPECT_EQ(batch[0].flags, round == 0 ? 0u : SWAPMQ_DELIVERY_REDELIVERED);
    const bool nack = round % 2 == 0;
    ASSERT_EQ(consumer_.settle(subscription_, batch[0],
                               nack ? SWAPMQ_SETTLE_NACK : SWAPMQ_SETTLE_RELEASE),
              SWAPMQ_OK);
    if (nack) ++expected;
  }
}

TEST_F(Settling, WhatComesBackStandsAtItsOldPlace) {
  publish({"a", "b", "c", "d", "e", "f"});
  const BatchPtr batch = consumer_.receive(subscription_, 4);
  ASSERT_EQ(consumer_.settle(subscription_, batch[3], SWAPMQ_SETTLE_RELEASE), SWAPMQ_OK);
  ASSERT_EQ(consumer_.settle(subscription_, batch[1], SWAPMQ_SETTLE_NACK), SWAPMQ_OK);
  ASSERT_EQ(consumer_.settle(subscription_, batch[0], SWAPMQ_SETTLE_RELEASE), SWAPMQ_OK);
  EXPECT_EQ(sizes(consumer_.stats(from_)), "5/1/0");
  EXPECT_EQ(consumer_.receive(subscription_, 10).ids(), (Ids{"a", "b", "d", "e", "f"}));
  EXPECT_EQ(sizes(consumer_.stats(from_)), "0/6/0");
}

TEST_F(Settling, AStaleReceiptIsFencedAfterRedelivery) {
  publish({"a"});
  const BatchPtr first = consumer_.receive(subscription_, 1);
  ASSERT_EQ(consumer_.settle(subscription_, first[0], SWAPMQ_SETTLE_RELEASE), SWAPMQ_OK);
  const BatchPtr second = consumer_.receive(subscription_, 1);
  EXPECT_EQ(consumer_.settle(subscription_, first[0], SWAPMQ_SETTLE_ACK), SWAPMQ_LOST);
  ASSERT_EQ(consumer_.settle(subscription_, second[0], SWAPMQ_SETTLE_NACK), SWAPMQ_OK);
  const BatchPtr third = consumer_.receive(subscription_, 1);
  EXPECT_EQ(consumer_.settle(subscription_, second[0], SWAPMQ_SETTLE_ACK), SWAPMQ_LOST);
  EXPECT_EQ(consumer_.settle(subscription_, third[0], SWAPMQ_SETTLE_ACK), SWAPMQ_OK);
}

TEST_F(Settling, AReceiptDoesNotFitAnotherMessageInThePlaceOfTheFirst) {
  // An empty queue begins its numbers again; a queue made anew may get the number of the old.
  publish({"a"});
  const BatchPtr old = consumer_.receive(subscription_, 1);
  consumer_.ack_all(subscription_, old);
  publish({"b"});
  const BatchPtr fresh = consumer_.receive(subscription_, 1);
  ASSERT_EQ(fresh.ids(), Ids{"b"});
  EXPECT_EQ(consumer_.settle(subscription_, old[0], SWAPMQ_SETTLE_ACK), SWAPMQ_LOST);
  EXPECT_EQ(sizes(consumer_.stats(from_)), "0/1/0");
  EXPECT_EQ(consumer_.settle(subscription_, fresh[0], SWAPMQ_SETTLE_ACK), SWAPMQ_OK);
}

TEST_F(Settling, ANackWithADelayIsDurableAndCounted) {
  publish({"a", "b"});
  const BatchPtr batch = consumer_.receive(subscription_, 1);
  const int64_t due = unix_ms() + 150;
  ASSERT_EQ(consumer_.settle(subscription_, batch[0], SWAPMQ_SETTLE_NACK, due), SWAPMQ_OK);
  EXPECT_EQ(sizes(consumer_.stats(from_)), "1/0/1");
  consumer_.close();
  publisher_.close();
  plugin().close(std::exchange(opened_.backend, nullptr));
  const Opened again(Opened::options(folder_ / "q.db"));
  SessionPtr session(again);
  swapmq_subscription* subscription = session.subscribe(session.queue("tasks"));
  const BatchPtr now = session.receive(subscription, 10);
  EXPECT_EQ(now.ids(), Ids{"b"});
  const BatchPtr later = session.receive(subscription, 10, milliseconds(5000));
  EXPECT_GE(unix_ms(), due);
  ASSERT_EQ(later.ids(), Ids{"a"});
  EXPECT_EQ(later[0].delivery_count, 2u);
}

TEST_F(Settling, ADeadLetterMovesInOneStep) {
  Text text;
  text.id = std::string("id\0\xff", 4);
  text.body = "body";
  text.headers = {{"kept", "1"}, {"reason", "old"}};
  text.expires_at_ms = unix_ms() + 3600000;
  text.delivery_count = 4;
  ASSERT_TRUE(publisher_.publish(to_, {text}).confirmed());
  const BatchPtr batch = consumer_.receive(subscription_, 1);
  const std::vector<swapmq_header> added = {{bytes("reason"), bytes("rejected")},
                                            {bytes("from"), bytes("tasks")}};
  swapmq_settlement dead = settlement(batch[0], SWAPMQ_SETTLE_DEAD_LETTER);
  dead.target = consumer_.queue("tasks.dead");
  dead.headers = added.data();
  dead.header_count = 2;
  const Exchanged exchanged = consumer_.exchange(subscription_, {dead, dead}, 0);
  EXPECT_EQ(exchanged.statuses, (std::vector<swapmq_status>{SWAPMQ_OK, SWAPMQ_LOST}));
  EXPECT_EQ(sizes(consumer_.stats(from_)), "0/0/0");
  const BatchPtr moved = consumer_.receive(consumer_.subscribe(dead.target), 10);
  ASSERT_EQ(moved.size(), 1u);
  EXPECT_EQ(moved.id(0), text.id);
  EXPECT_EQ(moved.body(0), "body");
  EXPECT_EQ(moved[0].delivery_count, 1u);
  EXPECT_EQ(moved[0].message->expires_at_ms, 0);
  std::vector<std::pair<std::string, std::string>> headers;
  for (uint32_t i = 0; i < moved[0].message->header_count; ++i) {
    headers.emplace_back(view(moved[0].message->headers[i].name),
                         view(moved[0].message->headers[i].value));
  }
  const std::vector<std::pair<std::string, std::string>> wanted = {
      {"kept", "1"}, {"reason", "rejected"}, {"from", "tasks"}};
  EXPECT_EQ(headers, wanted);
}

TEST_F(Settling, ADeadLetterToAFullQueueLeavesTheDeliveryUnsettled) {
  publish({"a", "b"});
  const BatchPtr batch = consumer_.receive(subscription_, 2);
  swapmq_queue* dead_queue = consumer_.queue("tasks.dead", 1);
  std::vector<swapmq_settlement> dead = {settlement(batch[0], SWAPMQ_SETTLE_DEAD_LETTER),
                                         settlement(batch[1], SWAPMQ_SETTLE_DEAD_LETTER)};
  dead[0].target = dead[1].target = dead_queue;
  const Exchanged exchanged = consumer_.exchange(subscription_, dead, 0);
  EXPECT_EQ(exchanged.statuses, (std::vector<swapmq_status>{SWAPMQ_OK, SWAPMQ_RESOURCE_EXHAUSTED}));
  EXPECT_EQ(sizes(consumer_.stats(from_)), "0/1/0");
  EXPECT_EQ(consumer_.settle(subscription_, batch[1], SWAPMQ_SETTLE_ACK), SWAPMQ_OK);
}

TEST_F(Settling, ADeadLetterMayGoToItsOwnQueue) {
  publish({"a"});
  const BatchPtr batch = consumer_.receive(subscription_, 1);
  swapmq_settlement dead = settlement(batch[0], SWAPMQ_SETTLE_DEAD_LETTER);
  dead.target = from_;
  EXPECT_EQ(consumer_.exchange(subscription_, {dead}, 0).statuses[0], SWAPMQ_OK);
  EXPECT_EQ(sizes(consumer_.stats(from_)), "1/0/0");
  EXPECT_EQ(consumer_.receive(subscription_, 10).ids(), Ids{"a"});
}

TEST_F(Settling, AndReceivingShareOneCall) {
  publish({"a", "b", "c"});
  BatchPtr batch = consumer_.receive(subscription_, 1);
  for (const char* next : {"b", "c"}) {
    Exchanged exchanged =
        consumer_.exchange(subscription_, {settlement(batch[0], SWAPMQ_SETTLE_ACK)}, 1);
    ASSERT_TRUE(exchanged.outcome.ok()) << exchanged.outcome;
    EXPECT_EQ(exchanged.statuses[0], SWAPMQ_OK);
    ASSERT_EQ(exchanged.batch.ids(), Ids{next});
    batch = std::move(exchanged.batch);
  }
}

TEST_F(Settling, WhatTheSameCallGaveBackCanBeReceivedByIt) {
  publish({"a"});
  const BatchPtr batch = consumer_.receive(subscription_, 1);
  const Exchanged exchanged = consumer_.exchange(
      subscription_, {settlement(batch[0], SWAPMQ_SETTLE_NACK)}, 1, milliseconds(5000));
  EXPECT_EQ(exchanged.batch.ids(), Ids{"a"});
}

TEST_F(Settling, AReceiptThatIsNoneSettlesAsLost) {
  publish({"a"});
  const BatchPtr batch = consumer_.receive(subscription_, 1);
  swapmq_delivery forged = batch[0];
  forged.receipt.size = 3;
  EXPECT_EQ(consumer_.settle(subscription_, forged, SWAPMQ_SETTLE_ACK), SWAPMQ_LOST);
  forged = batch[0];
  forged.receipt.bytes[9] = static_cast<uint8_t>(forged.receipt.bytes[9] + 1);
  EXPECT_EQ(consumer_.settle(subscription_, forged, SWAPMQ_SETTLE_ACK), SWAPMQ_LOST);
  EXPECT_EQ(sizes(consumer_.stats(from_)), "0/1/0");
}

} // namespace
} // namespace swapmq::test
