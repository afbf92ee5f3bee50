// SPDX-License-Identifier: MIT
//
// A delivery's life: handed out, counted, settled once.
#include <limits>

#include "support.hpp"

namespace swapmq::memory::test {
namespace {

using Ids = std::vector<std::string>;

class Delivery : public ::testing::Test {
 protected:
  Backend backend = Backend::own();
  Session session{backend};
  swapmq_queue* queue = session.queue("q");
  swapmq_subscription* subscription = session.subscribe(queue, 100);
};

TEST_F(Delivery, CarriesTheMessageAsItWas) {
  Draft sent = draft("id-1");
  sent.headers = {{"h", std::string("v\0w", 3)}, {"empty", ""}};
  sent.priority = 4;
  sent.first_published_ms = 900;
  sent.ordering_key = "k";
  session.put(queue, std::vector{sent});
  const Deliveries got = session.receive(subscription, 10);
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got.id(0), sent.id);
  EXPECT_EQ(got.body(0), sent.body);
  EXPECT_EQ(got.headers(0), sent.headers);
  EXPECT_EQ(got[0].message->priority, 4U);
  EXPECT_EQ(got[0].message->timestamp_ms, 1000);
  EXPECT_EQ(got[0].message->first_published_ms, 900);
  EXPECT_EQ(backend::view(got[0].message->ordering_key), "k");
  EXPECT_EQ(got[0].delivery_count, 1U);
  EXPECT_EQ(got[0].flags, 0U);
}

TEST_F(Delivery, AckEndsIt) {
  session.put(queue, Ids{"a"});
  const Deliveries got = session.receive(subscription, 10);
  EXPECT_EQ(sizes(session, queue), (Sizes{0, 1, 0}));
  EXPECT_EQ(session.ack(subscription, got[0]), SWAPMQ_OK);
  EXPECT_EQ(sizes(session, queue), (Sizes{0, 0, 0}));
}

TEST_F(Delivery, ASecondSettlementIsLost) {
  session.put(queue, Ids{"a"});
  const Deliveries got = session.receive(subscription, 10);
  swapmq_settlement ack{};
  ack.delivery = &got[0];
  ack.action = SWAPMQ_SETTLE_ACK;
  swapmq_settlement nack = ack;
  nack.action = SWAPMQ_SETTLE_NACK;
  EXPECT_EQ(session.settle(subscription, {ack, nack}),
            (std::vector<swapmq_status>{SWAPMQ_OK, SWAPMQ_LOST}));
  EXPECT_EQ(session.ack(subscription, got[0]), SWAPMQ_LOST);
  EXPECT_EQ(sizes(session, queue), (Sizes{0, 0, 0}));
}

TEST_F(Delivery, AReceiptFromBeforeItsReturnIsLost) {
  session.put(queue, Ids{"a"});
  const Deliveries first = session.receive(subscription, 10);
  session.settle(subscription, first[0], SWAPMQ_SETTLE_NACK);
  const Deliveries second = session.receive(subscription, 10);
  EXPECT_EQ(session.ack(subscription, first[0]), SWAPMQ_LOST);
  EXPECT_EQ(session.ack(subscription, second[0]), SWAPMQ_OK);
}

TEST_F(Delivery, NacksAreCountedAndReleasesAreNot) {
  session.put(queue, Ids{"a"});
  uint32_t expected = 1;
  for (int round = 0; round < 10; ++round) {
    const Deliveries got = session.receive(subscription, 10);
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0].delivery_count, expected);
    EXPECT_EQ(got[0].flags, round == 0 ? 0U : SWAPMQ_DELIVERY_REDELIVERED);
    const bool counted = round % 3 != 1;
    session.settle(subscription, got[0], counted ? SWAPMQ_SETTLE_NACK : SWAPMQ_SETTLE_RELEASE);
    if (counted) ++expected;
  }
}

TEST_F(Delivery, ACarriedCountGoesOn) {
  Draft moved = draft("moved");
  moved.delivery_count = 3;
  Draft worn = draft("worn");
  worn.delivery_count = std::numeric_limits<uint32_t>::max();
  session.put(queue, std::vector{moved, worn});
  const Deliveries got = session.receive(subscription, 10);
  ASSERT_EQ(got.size(), 2U);
  EXPECT_EQ(got[0].delivery_count, 4U);
  EXPECT_EQ(got[0].flags, SWAPMQ_DELIVERY_REDELIVERED);
  EXPECT_EQ(got[0].message->delivery_count, 3U);
  EXPECT_EQ(got[1].delivery_count, std::numeric_limits<uint32_t>::max());
}

TEST_F(Delivery, NeverMoreThanThePrefetch) {
  Session other(backend);
  swapmq_subscription* narrow = other.subscribe(other.queue("q"), 2);
  session.put(queue, Ids{"a", "b", "c"});
  const Deliveries got = other.receive(narrow, 10);
  EXPECT_EQ(got.ids(), (Ids{"a", "b"}));
  EXPECT_TRUE(other.receive(narrow, 10, 20ms).empty());
  EXPECT_EQ(other.ack(narrow, got[0]), SWAPMQ_OK);
  EXPECT_EQ(other.receive(narrow, 10).ids(), Ids{"c"});
}

TEST_F(Delivery, SettlesAndReceivesInOneCall) {
  Session other(backend);
  swapmq_subscription* narrow = other.subscribe(other.queue("q"), 1);
  session.put(queue, Ids{"a", "b"});
  const Deliveries first = other.receive(narrow, 1);
  swapmq_settlement settlement{};
  settlement.delivery = &first[0];
  settlement.action = SWAPMQ_SETTLE_ACK;
  swapmq_status result = SWAPMQ_STATUS_UNTOUCHED;
  swapmq_exchange_args args{};
  args.struct_size = sizeof args;
  args.settlement_size = sizeof settlement;
  args.settlements = &settlement;
  args.settlement_count = 1;
  args.settlement_results = &result;
  args.max_messages = 1;
  args.deadline_ns = after(kPatience);
  swapmq_batch* batch = nullptr;
  Error error;
  ASSERT_EQ(vtable().exchange(other.get(), narrow, &args, &batch, &error), SWAPMQ_OK);
  const Deliveries second(batch, SWAPMQ_OK);
  EXPECT_EQ(result, SWAPMQ_OK);
  EXPECT_EQ(second.ids(), Ids{"b"});
}

TEST_F(Delivery, BytesBoundABatchButTheFirstAlwaysFits) {
  std::vector<Draft> drafts;
  for (const char* id : {"a", "b", "c"}) {
    drafts.push_back(draft(id));
    drafts.back().body = std::string(100, 'x');
  }
  session.put(queue, drafts);
  EXPECT_EQ(session.receive(subscription, 10, 0ns, 50).ids(), Ids{"a"});
  EXPECT_EQ(session.receive(subscription, 10, 0ns, 200).ids(), (Ids{"b", "c"}));
}

TEST_F(Delivery, AStrangersReceiptIsLost) {
  Session other(backend);
  swapmq_subscription* theirs = other.subscribe(other.queue("q"), 10);
  session.put(queue, Ids{"a", "b"});
  const Deliveries ours = session.receive(subscription, 1);
  const Deliveries their = other.receive(theirs, 1);
  EXPECT_EQ(other.ack(theirs, ours[0]), SWAPMQ_LOST);
  EXPECT_EQ(session.ack(subscription, ours[0]), SWAPMQ_OK);
  EXPECT_EQ(other.ack(theirs, their[0]), SWAPMQ_OK);
}

} // namespace
} // namespace swapmq::memory::test
