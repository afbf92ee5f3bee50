// SPDX-License-Identifier: MIT
//
// Ack, nack, release: what each means, and what it means to do it too late or twice.
#include <algorithm>
#include <map>
#include <optional>
#include <thread>

#include "fixture.h"

namespace swapmq::contract {
namespace {

class Settle : public Contract {
 protected:
  /// A queue with messages, and a consumer of it.
  void SetUp() override {
    Contract::SetUp();
    name_ = fresh_queue("settle");
    session_.emplace(consumer());
    queue_ = session_->queue(name_);
  }

  Subscription with(std::span<const Message> sent, std::uint32_t prefetch = 50) {
    fill(name_, sent);
    return session_->subscribe(queue_, prefetch);
  }

  std::string name_;
  std::optional<Session> session_;
  swapmq_queue* queue_ = nullptr;
};

CONTRACT_TEST(Settle, AckedIsGone, "exchange(); SWAPMQ_SETTLE_ACK",
              "what was acked is gone for good") {
  Subscription subscription = with(messages("acked", 20));
  subscription.ack_all(subscription.receive(20));
  EXPECT_EQ(subscription.poll(20, milliseconds(100)).size(), 0u);
  expect_stats(name_, 0, 0, 0);
  subscription.unsubscribe();
  EXPECT_EQ(drain(name_, 0), std::vector<std::string>());
}

CONTRACT_TEST(Settle, EachAckOfACallIsDone, "exchange(); SWAPMQ_SETTLE_ACK",
              "each of several acks in a call is done when the call returns") {
  Subscription subscription = with(messages("acks", 10));
  for (const std::size_t size : {1u, 2u, 3u, 4u}) {
    subscription.ack_all(subscription.receive(size));
    const auto left = 10 - (size * (size + 1)) / 2;
    expect_stats(name_, left, 0, 0);
  }
  subscription.unsubscribe();
  EXPECT_EQ(drain(name_, 0), std::vector<std::string>());
}

CONTRACT_TEST(Settle, NackedComesBack, "SWAPMQ_SETTLE_NACK", "what was nacked is delivered again") {
  const auto sent = messages("nacked", 10);
  Subscription subscription = with(sent);
  const Deliveries first = subscription.receive(10);
  for (const swapmq_delivery* delivery : first) {
    ASSERT_EQ(subscription.settle(nack(*delivery)), SWAPMQ_OK);
  }
  const Deliveries again = subscription.receive(10);
  EXPECT_EQ(sorted(again.bodies()), sorted(bodies(sent)));
  subscription.ack_all(again);
}

CONTRACT_TEST(
    Settle, NacksAreCountedExactly, "swapmq_delivery.delivery_count; SWAPMQ_SETTLE_NACK",
    "the delivery count is 1 for the first delivery and one more for each nack, and exact") {
  Subscription subscription = with(messages("counted", 1));
  for (std::uint32_t count = 1; count <= 12; ++count) {
    const Deliveries got = subscription.receive(1);
    ASSERT_EQ(got[0].delivery_count, count);
    ASSERT_EQ(got[0].flags & SWAPMQ_DELIVERY_COUNT_AT_LEAST, 0u) << "nacks are counted exactly";
    ASSERT_EQ(subscription.settle(nack(got[0])), SWAPMQ_OK);
  }
}

CONTRACT_TEST(
    Settle, CountsAreOfEachMessage, "swapmq_delivery.delivery_count",
    "each message has a delivery count of its own, which nacks raise and releases do not") {
  Subscription subscription = with(messages("each", 6));
  std::map<std::string, std::uint32_t> nacked;
  for (int round = 0; round < 4; ++round) {
    const Deliveries got = subscription.receive(6);
    for (std::size_t i = 0; i < got.size(); ++i) {
      const std::string body = got.body(i);
      EXPECT_EQ(got[i].delivery_count, nacked[body] + 1) << body;
      // By turns counted and not.
      const bool counts = can().release == SWAPMQ_ABSENT || (body.back() + round) % 2 == 0;
      nacked[body] += counts ? 1 : 0;
      ASSERT_EQ(subscription.settle(counts ? nack(got[i]) : release(got[i])), SWAPMQ_OK);
    }
  }
}

CONTRACT_TEST(Settle, ReleasedIsNotCounted, "SWAPMQ_SETTLE_RELEASE",
              "what was released is delivered again and not counted") {
  NEEDS(release);
  Subscription subscription = with(messages("released", 5));
  for (int round = 0; round < 5; ++round) {
    const Deliveries got = subscription.receive(5);
    for (const swapmq_delivery* delivery : got) {
      EXPECT_EQ(delivery->delivery_count, 1u);
      ASSERT_EQ(subscription.settle(release(*delivery)), SWAPMQ_OK);
    }
  }
}

CONTRACT_TEST(Settle, RedeliveriesAreMarked, "SWAPMQ_DELIVERY_REDELIVERED",
              "what was handed out before is marked as redelivered, and what was not is not") {
  Subscription subscription = with(messages("marked", 2));
  Deliveries got = subscription.receive(2);
  EXPECT_EQ(got[0].flags & SWAPMQ_DELIVERY_REDELIVERED, 0u);
  EXPECT_EQ(got[1].flags & SWAPMQ_DELIVERY_REDELIVERED, 0u);
  ASSERT_EQ(subscription.settle(nack(got[0])), SWAPMQ_OK);
  if (can().release != SWAPMQ_ABSENT) {
    ASSERT_EQ(subscription.settle(release(got[1])), SWAPMQ_OK);
  } else {
    ASSERT_EQ(subscription.settle(nack(got[1])), SWAPMQ_OK);
  }
  for (const swapmq_delivery* delivery : subscription.receive(2)) {
    EXPECT_NE(delivery->flags & SWAPMQ_DELIVERY_REDELIVERED, 0u) << body_of(*delivery);
  }
}

CONTRACT_TEST(Settle, AllKindsInOneCall, "exchange(); swapmq_settlement.action",
              "acks, nacks and releases in one call are each done as told") {
  NEEDS(release);
  Subscription subscription = with(messages("mixed", 30));
  const Deliveries got = subscription.receive(30);
  std::vector<swapmq_settlement> settlements;
  std::map<std::string, std::uint32_t> back; // body to the count it must come back with
  for (std::size_t i = 0; i < got.size(); ++i) {
    if (i % 3 == 0) settlements.push_back(ack(got[i]));
    if (i % 3 == 1) settlements.push_back(nack(got[i]));
    if (i % 3 == 2) settlements.push_back(release(got[i]));
    if (i % 3 != 0) back[got.body(i)] = i % 3 == 1 ? 2 : 1;
  }
  EXPECT_EQ(subscription.settle(settlements),
            std::vector<swapmq_status>(settlements.size(), SWAPMQ_OK));
  const Deliveries again = subscription.receive(20);
  for (std::size_t i = 0; i < again.size(); ++i) {
    EXPECT_EQ(back[again.body(i)], again[i].delivery_count) << again.body(i);
  }
  subscription.ack_all(again);
  EXPECT_EQ(subscription.poll(30, milliseconds(100)).size(), 0u);
}

CONTRACT_TEST(Settle, RidesWithTheNextReceive, "exchange()",
              "an exchange settles first, and uses the room that this makes") {
  Subscription subscription = with(messages("riding", 20), 5);
  Deliveries held = subscription.receive(5);
  std::size_t acked = 0;
  while (acked < 20) {
    std::vector<swapmq_settlement> settlements;
    for (const swapmq_delivery* delivery : held) settlements.push_back(ack(*delivery));
    Exchanged next =
        subscription.exchange(settlements, 5, in(milliseconds(acked < 15 ? 5000 : 50)));
    ASSERT_EQ(next.status, SWAPMQ_OK) << next.error;
    ASSERT_EQ(next.settled, std::vector<swapmq_status>(settlements.size(), SWAPMQ_OK));
    acked += settlements.size();
    held.clear();
    held.add(std::move(next.batch));
    ASSERT_TRUE(acked == 20 || !held.empty()) << "the room that the acks made was not used";
  }
}

/// Acks all that comes; what pends is given again, now and then without room for more.
CONTRACT_TEST(Settle, WhatPendsIsAnsweredLater, "exchange(); SWAPMQ_STATUS_PENDING",
              "a settlement that pends has its result after it was given again, and is then done") {
  constexpr std::size_t kCount = 400, kPrefetch = 40;
  Subscription subscription = with(messages("pending", kCount), kPrefetch);
  Deliveries all;
  std::vector<const swapmq_delivery*> pending;
  std::size_t given = 0;
  const std::int64_t end = soon();
  for (int round = 1; given < kCount || !pending.empty(); ++round) {
    ASSERT_LT(in(milliseconds(0)), end) << given << " were settled, " << pending.size() << " pend";
    std::vector<swapmq_settlement> settlements;
    for (const swapmq_delivery* delivery : pending) settlements.push_back(ack(*delivery));
    for (; given < all.size(); ++given) settlements.push_back(ack(all[given]));
    const auto patience = milliseconds(given == kCount ? 0 : 500);
    Exchanged next = subscription.exchange(settlements, round % 7 == 0 ? 0 : kPrefetch,
                                           in(patience), 0, SWAPMQ_EXCHANGE_MAY_PEND);
    ASSERT_EQ(next.status, SWAPMQ_OK) << next.error;
    pending.clear();
    for (std::size_t i = 0; i < settlements.size(); ++i) {
      if (next.settled[i] == SWAPMQ_OK) continue;
      ASSERT_EQ(next.settled[i], SWAPMQ_STATUS_PENDING);
      pending.push_back(settlements[i].delivery);
    }
    ASSERT_FALSE(HasFailure());
    all.add(std::move(next.batch));
  }
  EXPECT_EQ(all.size(), kCount);
  subscription.unsubscribe();
  EXPECT_EQ(drain(name_, 0), std::vector<std::string>()) << "settled, and here again";
}

/// Who was handed nothing might ask no more.
CONTRACT_TEST(Settle, NothingPendsWhereNothingIsHandedOut, "exchange(); SWAPMQ_STATUS_PENDING",
              "no settlement pends where no deliveries are handed out") {
  NEEDS(ttl);
  NEEDS(ordering); // so that those that stay come first
  constexpr milliseconds kLife(1000);
  std::vector<Message> sent = messages("stays", 10);
  for (Message expiring : messages("expires", 10)) { // read ahead, and gone then
    expiring.expires_at_ms = unix_now_ms() + kLife.count();
    sent.push_back(std::move(expiring));
  }
  Subscription subscription = with(sent, 20);
  const Deliveries got = subscription.receive(10);
  // Whether a backend read them ahead, and has dropped them, nobody can see: only time shows.
  std::this_thread::sleep_for(kLife + milliseconds(100));
  std::vector<swapmq_settlement> acks;
  for (const swapmq_delivery* delivery : got) acks.push_back(ack(*delivery));
  const Exchanged next =
      subscription.exchange(acks, 10, in(milliseconds(300)), 0, SWAPMQ_EXCHANGE_MAY_PEND);
  EXPECT_EQ(next.status, SWAPMQ_OK) << next.error;
  EXPECT_EQ(next.batch.size(), 0u) << "what has expired";
  EXPECT_EQ(next.settled, std::vector<swapmq_status>(acks.size(), SWAPMQ_OK));
}

CONTRACT_TEST(Settle, TwiceIsLost, "exchange(): settlement_results",
              "a delivery that was settled before settles as LOST") {
  Subscription subscription = with(messages("twice", 3));
  const Deliveries got = subscription.receive(3);
  ASSERT_EQ(subscription.settle(ack(got[0])), SWAPMQ_OK);
  EXPECT_EQ(subscription.settle(ack(got[0])), SWAPMQ_LOST);
  EXPECT_EQ(subscription.settle(nack(got[0])), SWAPMQ_LOST);
  const std::vector both{ack(got[1]), ack(got[1])};
  EXPECT_EQ(subscription.settle(both), (std::vector<swapmq_status>{SWAPMQ_OK, SWAPMQ_LOST}));
  EXPECT_EQ(subscription.settle(ack(got[2])), SWAPMQ_OK) << "another one is still ours";
  EXPECT_EQ(subscription.poll(3, milliseconds(100)).size(), 0u) << "a nack of what was acked";
}

CONTRACT_TEST(Settle, ANackedOneCannotBeAckedByItsOldReceipt,
              "exchange(): settlement_results; swapmq_receipt",
              "the receipt of a delivery that was nacked settles as LOST, also when the message is "
              "delivered again") {
  Subscription subscription = with(messages("old", 1));
  const Deliveries first = subscription.receive(1);
  ASSERT_EQ(subscription.settle(nack(first[0])), SWAPMQ_OK);
  EXPECT_EQ(subscription.settle(ack(first[0])), SWAPMQ_LOST) << "ready again";
  const Deliveries second = subscription.receive(1);
  EXPECT_EQ(subscription.settle(ack(first[0])), SWAPMQ_LOST) << "delivered again";
  EXPECT_EQ(subscription.settle(ack(second[0])), SWAPMQ_OK);
}

CONTRACT_TEST(Settle, AfterUnsubscribeIsLost, "unsubscribe(); exchange(): settlement_results",
              "what an ended subscription held settles as LOST and is delivered again") {
  Subscription subscription = with(messages("gone", 2));
  const Deliveries held = subscription.receive(2);
  subscription.unsubscribe();
  Subscription next = session_->subscribe(queue_, 10);
  EXPECT_EQ(next.settle(ack(held[0])), SWAPMQ_LOST);
  const Deliveries again = next.receive(2);
  EXPECT_EQ(sorted(again.bodies()), (std::vector<std::string>{"gone 0", "gone 1"}));
  EXPECT_EQ(next.settle(ack(held[1])), SWAPMQ_LOST) << "the receipt is that of another delivery";
  next.ack_all(again);
}

CONTRACT_TEST(Settle, AfterSessionCloseIsLost, "session_close(); exchange(): settlement_results",
              "what a closed session held settles as LOST and is delivered again") {
  Subscription subscription = with(messages("closed", 1));
  const Deliveries held = subscription.receive(1);
  session_->close();
  Session other = consumer();
  Subscription next = other.subscribe(other.queue(name_), 10);
  EXPECT_EQ(next.settle(ack(held[0])), SWAPMQ_LOST);
  next.ack_all(next.receive(1));
}

CONTRACT_TEST(
    Settle, AfterDeleteQueueIsLost, "delete_queue(); exchange(): settlement_results",
    "what is unsettled when its queue is deleted settles as LOST and does not come back") {
  Subscription subscription = with(messages("deleted", 3));
  const Deliveries held = subscription.receive(2);
  Session other = admin();
  other.remove(other.queue(name_));
  EXPECT_EQ(subscription.settle(ack(held[0])), SWAPMQ_LOST);
  EXPECT_EQ(subscription.settle(nack(held[1])), SWAPMQ_LOST);
  EXPECT_EQ(drain(name_, 0), std::vector<std::string>()) << "a settlement brought it back";
}

CONTRACT_TEST(Settle, ConsumersThatComeBackGetWhatTheyGaveBack, "unsubscribe(); session_close()",
              "a consumer that leaves and comes back gets what it gave back, uncounted") {
  const auto sent = messages("back", 10);
  fill(name_, sent);
  for (int round = 0; round < 10; ++round) {
    Subscription subscription = session_->subscribe(queue_, 10);
    const Deliveries got = subscription.receive(10 - static_cast<std::size_t>(round));
    if (can().release != SWAPMQ_ABSENT) {
      for (const swapmq_delivery* delivery : got) EXPECT_EQ(delivery->delivery_count, 1u);
    }
    ASSERT_EQ(subscription.settle(ack(got[0])), SWAPMQ_OK);
    if (round % 2 == 0) continue; // unsubscribe() gives the others back
    session_->close();
    session_.emplace(consumer());
    queue_ = session_->queue(name_);
  }
  EXPECT_EQ(drain(name_, 0), std::vector<std::string>());
}

} // namespace
} // namespace swapmq::contract
