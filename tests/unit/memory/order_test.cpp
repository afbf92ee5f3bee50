// SPDX-License-Identifier: MIT
//
// Who comes first.
#include "support.hpp"

namespace swapmq::memory::test {
namespace {

using Ids = std::vector<std::string>;

class Order : public ::testing::Test {
 protected:
  Backend backend = Backend::own();
  Session session{backend};
  swapmq_queue* queue = session.queue("q");
  swapmq_subscription* subscription = session.subscribe(queue);

  static Draft with_priority(const std::string& id, uint32_t priority) {
    Draft made = draft(id);
    made.priority = priority;
    return made;
  }
};

TEST_F(Order, FirstDeliveriesComeInPublishOrder) {
  Ids ids;
  for (int i = 0; i < 3000; ++i) ids.push_back(std::to_string(i));
  for (std::size_t i = 0; i < ids.size(); i += 100) {
    const auto first = ids.begin() + static_cast<std::ptrdiff_t>(i);
    session.put(queue, Ids(first, first + 100));
  }
  EXPECT_EQ(session.drain(subscription, ids.size()), ids);
}

TEST_F(Order, HigherPriorityFirstThenPublishOrder) {
  session.put(queue, std::vector{with_priority("low", 0), with_priority("high-1", 9),
                                 with_priority("mid", 5), with_priority("high-2", 9)});
  EXPECT_EQ(session.drain(subscription, 4), (Ids{"high-1", "high-2", "mid", "low"}));
}

TEST_F(Order, WhatComesBackTakesItsOldPlace) {
  session.put(queue, Ids{"a", "b", "c", "d"});
  const Deliveries got = session.receive(subscription, 3);
  session.settle(subscription, got[1], SWAPMQ_SETTLE_RELEASE);
  session.settle(subscription, got[0], SWAPMQ_SETTLE_NACK);
  EXPECT_EQ(session.drain(subscription, 3), (Ids{"a", "b", "d"}));
}

TEST_F(Order, PriorityHoldsForWhatComesBackToo) {
  session.put(queue, std::vector{with_priority("old", 1), with_priority("older", 3)});
  const Deliveries got = session.receive(subscription, 2);
  for (std::size_t i = 0; i < 2; ++i) session.settle(subscription, got[i], SWAPMQ_SETTLE_RELEASE);
  session.put(queue, std::vector{with_priority("new", 2)});
  EXPECT_EQ(session.drain(subscription, 3), (Ids{"older", "new", "old"}));
}

TEST_F(Order, UnsubscribingGivesBackInPlaceAndUncounted) {
  session.put(queue, Ids{"a", "b", "c"});
  Session other(backend);
  swapmq_subscription* leaving = other.subscribe(other.queue("q"));
  const Deliveries held = other.receive(leaving, 2);
  EXPECT_EQ(held.ids(), (Ids{"a", "b"}));
  other.unsubscribe(leaving);
  EXPECT_EQ(sizes(session, queue), (Sizes{3, 0, 0}));
  const Deliveries got = session.receive(subscription, 10);
  EXPECT_EQ(got.ids(), (Ids{"a", "b", "c"}));
  EXPECT_EQ(got[0].delivery_count, 1U);
  EXPECT_EQ(got[0].flags, SWAPMQ_DELIVERY_REDELIVERED);
  EXPECT_EQ(got[2].flags, 0U);
  EXPECT_EQ(held.body(1), "body of b");
}

TEST_F(Order, ClosingASessionGivesBackToo) {
  session.put(queue, Ids{"a"});
  Session other(backend);
  const Deliveries held = other.receive(other.subscribe(other.queue("q")), 1);
  other.close();
  EXPECT_EQ(session.receive(subscription, 10).ids(), Ids{"a"});
  EXPECT_EQ(held.body(0), "body of a");
}

TEST_F(Order, StrictOrderLetsOneConsumerHoldAtATime) {
  swapmq_queue* strict = session.queue("strict", 0, SWAPMQ_QUEUE_STRICT_ORDER);
  session.create(strict);
  session.put(strict, Ids{"a", "b", "c"});
  swapmq_subscription* mine = session.subscribe(strict);
  Session other(backend);
  swapmq_subscription* theirs = other.subscribe(other.queue("strict"));
  const Deliveries first = session.receive(mine, 1);
  EXPECT_EQ(first.ids(), Ids{"a"});
  EXPECT_TRUE(other.receive(theirs, 1, 20ms).empty());
  EXPECT_EQ(session.receive(mine, 1).ids(), Ids{"b"}); // who holds may have more
  session.unsubscribe(mine);
  EXPECT_EQ(other.drain(theirs, 3), (Ids{"a", "b", "c"}));
}

} // namespace
} // namespace swapmq::memory::test
