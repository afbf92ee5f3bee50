// SPDX-License-Identifier: MIT
//
// The book of deliveries, and what a broker is told of them.
#include "tags.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "support.hpp"

namespace swapmq::rabbitmq {
namespace {

swapmq_receipt receipt_of(const Receipt& receipt) {
  swapmq_receipt made{};
  made.size = sizeof receipt;
  std::memcpy(made.bytes, &receipt, sizeof receipt);
  return made;
}

/// What a broker has on a channel (AMQP 0-9-1, 1.8.3.13, and RabbitMQ's basic.nack).
class Channel {
 public:
  explicit Channel(uint64_t delivered) {
    for (uint64_t tag = 1; tag <= delivered; ++tag) unsettled_.insert(tag);
  }

  void take(const OwnedFrame& frame) {
    Pool pool;
    EXPECT_EQ(frame.channel, 5);
    if (frame.frame().method() == AMQP_BASIC_ACK_METHOD) {
      const auto& ack = pool.fields<amqp_basic_ack_t>(frame);
      settle(ack.delivery_tag, ack.multiple != 0, "ack");
    } else {
      ASSERT_EQ(frame.frame().method(), uint32_t{AMQP_BASIC_NACK_METHOD});
      const auto& nack = pool.fields<amqp_basic_nack_t>(frame);
      settle(nack.delivery_tag, nack.multiple != 0, nack.requeue != 0 ? "requeue" : "drop");
    }
  }
  std::map<uint64_t, std::string> settled;

 private:
  void settle(uint64_t tag, bool multiple, const char* how) {
    // Of a tag that it does not know a broker closes the channel.
    ASSERT_TRUE(unsettled_.contains(tag)) << tag;
    const auto first = multiple ? unsettled_.begin() : unsettled_.find(tag);
    const auto last = std::next(unsettled_.find(tag));
    for (auto at = first; at != last; ++at) settled[*at] = how;
    unsettled_.erase(first, last);
  }

  std::set<uint64_t> unsettled_;
};

/// Settles so that there is no doubt about it, one by one.
void settle_before(Tags& tags, Channel& channel, uint64_t tag) {
  amqp_basic_ack_t ack{tag, 0};
  channel.take(method_frame(AMQP_BASIC_ACK_METHOD, ack, 5));
  tags.settled(tag);
}

/// As few frames as there can be: those before the first that stays, in runs; the rest one by one.
std::size_t least(const std::vector<TagSettlement>& settlements, uint64_t first_that_stays) {
  std::size_t frames = 0;
  for (std::size_t i = 0; i < settlements.size(); ++i) {
    const bool joined = i > 0 && settlements[i].tag < first_that_stays &&
                        settlements[i - 1].how == settlements[i].how;
    if (!joined) ++frames;
  }
  return frames;
}

enum What { kStays, kAck, kRequeue, kSettledBefore, kCount };

/// Whether a broker that is told does what was meant, with these states of the tags from 1 on.
void check(const std::vector<int>& states) {
  Tags tags(99);
  tags.start_anew();
  Channel channel(states.size());
  for (std::size_t i = 0; i < states.size(); ++i) tags.delivered();
  std::vector<TagSettlement> settlements;
  std::map<uint64_t, std::string> expected;
  uint64_t first_that_stays = UINT64_MAX;
  for (std::size_t i = 0; i < states.size(); ++i) {
    const uint64_t tag = i + 1;
    if (states[i] == kSettledBefore) settle_before(tags, channel, tag);
    if (states[i] != kStays) expected[tag] = states[i] == kRequeue ? "requeue" : "ack";
    if (states[i] == kStays) first_that_stays = std::min(first_that_stays, tag);
    if (states[i] != kAck && states[i] != kRequeue) continue;
    settlements.push_back({tag, states[i] == kAck ? Settle::ack : Settle::requeue});
    tags.settling(tag);
  }
  Output out;
  append_settlements(out, 5, tags, settlements);
  const std::vector<OwnedFrame> frames = frames_of(out.bytes());
  for (const OwnedFrame& frame : frames) channel.take(frame);
  EXPECT_EQ(channel.settled, expected);
  EXPECT_EQ(frames.size(), least(settlements, first_that_stays));
  for (const TagSettlement& settlement : settlements) tags.settled(settlement.tag);
  EXPECT_EQ(tags.held(), states.size() - expected.size());
}

TEST(Settlements, EverySetOfThemIsDoneByTheBroker) {
  for (std::size_t count = 0; count <= 6; ++count) {
    std::vector<int> states(count, 0);
    for (bool more = true; more;) {
      check(states);
      if (testing::Test::HasFailure()) FAIL() << testing::PrintToString(states);
      more = false;
      for (int& state : states) { // the next row of them
        state = (state + 1) % kCount;
        more = state != 0;
        if (more) break;
      }
    }
  }
}

TEST(Settlements, AreOneFrameForAllThatAreTheSame) {
  Tags tags(1);
  tags.start_anew();
  std::vector<TagSettlement> settlements;
  for (uint64_t tag = 1; tag <= 1000; ++tag) {
    tags.delivered();
    tags.settling(tag);
    settlements.push_back({tag, Settle::ack});
  }
  Output out;
  append_settlements(out, 3, tags, settlements);
  const auto frames = frames_of(out.bytes());
  ASSERT_EQ(frames.size(), 1U);
  EXPECT_EQ(frames[0].channel, 3);
  Pool pool;
  const auto& ack = pool.fields<amqp_basic_ack_t>(frames[0]);
  EXPECT_EQ(ack.delivery_tag, 1000U);
  EXPECT_NE(ack.multiple, 0);
}

TEST(Settlements, OfNoneAreNothing) {
  Tags tags(1);
  tags.start_anew();
  tags.delivered();
  Output out;
  append_settlements(out, 1, tags, {});
  EXPECT_EQ(out.size(), 0U);
}

// ---- the book -----------------------------------------------------------------------------------

TEST(Tags, CountFromOneOnEachChannel) {
  Tags tags(1);
  for (uint64_t channel = 0; channel < 3; ++channel) {
    tags.start_anew();
    EXPECT_EQ(tags.next(), 1U);
    EXPECT_EQ(tags.held(), 0U);
    tags.delivered();
    tags.delivered();
    EXPECT_EQ(tags.next(), 3U);
    tags.settled(1);
    EXPECT_EQ(tags.next(), 3U);
    EXPECT_EQ(tags.first(), 2U);
    EXPECT_EQ(tags.held(), 1U);
  }
}

TEST(Tags, AReceiptIsFoundUntilItIsSettled) {
  Tags tags(42);
  tags.start_anew();
  for (int i = 0; i < 3; ++i) tags.delivered();
  const swapmq_receipt receipt = receipt_of(tags.receipt(2));
  EXPECT_EQ(tags.find(receipt), 2U);
  tags.settling(2);
  EXPECT_EQ(tags.find(receipt), std::nullopt); // twice in one call
  tags.still_held(2);
  EXPECT_EQ(tags.find(receipt), 2U);
  tags.settling(2);
  tags.settled(2);
  EXPECT_EQ(tags.find(receipt), std::nullopt);
  EXPECT_EQ(tags.held(), 2U);
  tags.settled(2);
  EXPECT_EQ(tags.held(), 2U);
  tags.settled(1);
  EXPECT_EQ(tags.first(), 3U);
  EXPECT_EQ(tags.find(receipt), std::nullopt);
  EXPECT_EQ(tags.find(receipt_of(tags.receipt(3))), 3U);
}

TEST(Tags, AReceiptOfAnotherChannelIsNotFound) {
  Tags tags(42);
  tags.start_anew();
  tags.delivered();
  const swapmq_receipt old = receipt_of(tags.receipt(1));
  tags.start_anew();
  EXPECT_EQ(tags.find(old), std::nullopt);
  tags.delivered();
  EXPECT_EQ(tags.find(old), std::nullopt);
  EXPECT_EQ(tags.find(receipt_of(tags.receipt(1))), 1U);
}

TEST(Tags, AReceiptThatWasNeverGivenIsNotFound) {
  Tags tags(42);
  tags.start_anew();
  tags.delivered();
  EXPECT_EQ(tags.find(receipt_of({42, tags.epoch(), 1})), 1U);
  EXPECT_EQ(tags.find(receipt_of({43, tags.epoch(), 1})), std::nullopt);
  EXPECT_EQ(tags.find(receipt_of({42, tags.epoch() + 1, 1})), std::nullopt);
  EXPECT_EQ(tags.find(receipt_of({42, tags.epoch(), 0})), std::nullopt);
  EXPECT_EQ(tags.find(receipt_of({42, tags.epoch(), 2})), std::nullopt);
  EXPECT_EQ(tags.find(receipt_of({42, tags.epoch(), UINT64_MAX})), std::nullopt);
  swapmq_receipt other_size = receipt_of(tags.receipt(1));
  for (const uint32_t size : {0U, 23U, 25U, 48U}) {
    other_size.size = size;
    EXPECT_EQ(tags.find(other_size), std::nullopt);
  }
}

TEST(Tags, WhatIsNoLongerInTheBookIsLeftAlone) {
  Tags tags(1);
  tags.start_anew();
  tags.delivered();
  tags.delivered();
  tags.settled(1);
  for (const uint64_t tag : {uint64_t{0}, uint64_t{1}, uint64_t{3}, UINT64_MAX}) {
    tags.still_held(tag);
    tags.settled(tag);
    EXPECT_FALSE(tags.is_held(tag));
  }
  EXPECT_EQ(tags.held(), 1U);
  EXPECT_EQ(tags.first(), 2U);
}

TEST(Tags, AnyLeftAreThoseThatAreHeld) {
  Tags tags(1);
  tags.start_anew();
  for (int i = 0; i < 4; ++i) tags.delivered();
  tags.settled(1);
  tags.settling(2);
  EXPECT_FALSE(tags.any_left(0, 3));
  EXPECT_TRUE(tags.any_left(0, 4));
  EXPECT_TRUE(tags.any_left(3, 4));
  EXPECT_FALSE(tags.any_left(4, 4));
  EXPECT_TRUE(tags.any_left(4, 5));
  EXPECT_FALSE(tags.any_left(5, 100));
}

} // namespace
} // namespace swapmq::rabbitmq
