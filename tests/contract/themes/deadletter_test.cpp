// SPDX-License-Identifier: MIT
//
// The move to another queue, in one step.
#include <map>
#include <optional>

#include "fixture.h"

namespace swapmq::contract {
namespace {

class Deadletter : public Contract {
 protected:
  void SetUp() override {
    Contract::SetUp();
    name_ = fresh_queue("alive");
    dead_ = fresh_queue("dead");
    session_.emplace(consumer());
  }

  /// Dead-letters `got` to dead_ with these headers added.
  swapmq_status bury(Subscription& subscription, const swapmq_delivery& got,
                     const Headers& headers) {
    swapmq_settlement settlement = dead_letter(got, session_->queue(dead_));
    Row<swapmq_header> row(headers.size(), sizeof(swapmq_header));
    for (std::size_t i = 0; i < headers.size(); ++i) {
      row[i] = {bytes(headers[i].first), bytes(headers[i].second)};
    }
    settlement.headers = headers.empty() ? nullptr : row.data();
    settlement.header_count = static_cast<std::uint32_t>(headers.size());
    return subscription.settle(settlement);
  }

  Message buried(std::string* body = nullptr) {
    Session other = consumer();
    Subscription subscription = other.subscribe(other.queue(dead_), 10);
    const Deliveries got = subscription.receive(1);
    Message copied = copy(*got[0].message);
    if (body != nullptr) *body = copied.body;
    subscription.ack_all(got);
    return copied;
  }

  std::string name_, dead_;
  std::optional<Session> session_;
};

CONTRACT_TEST(
    Deadletter, MovesTheMessage, "SWAPMQ_SETTLE_DEAD_LETTER",
    "a dead-lettered message leaves its queue and is in the target, its id, body and fields kept") {
  NEEDS(dead_letter);
  Message sent = message(pattern(3000));
  sent.correlation_id = "correlation";
  sent.content_type = "text/plain";
  sent.ordering_key = "key";
  fill(name_, sent);
  Subscription subscription = session_->subscribe(session_->queue(name_), 10);
  const Deliveries got = subscription.receive(1);
  ASSERT_EQ(bury(subscription, got[0], {}), SWAPMQ_OK);
  expect_stats(name_, 0, 0, 0);
  expect_stats(dead_, 1, 0, 0);
  const Message moved = buried();
  EXPECT_EQ(moved.id, sent.id);
  EXPECT_EQ(moved.body, sent.body);
  EXPECT_EQ(moved.correlation_id, sent.correlation_id);
  EXPECT_EQ(moved.content_type, sent.content_type);
  EXPECT_EQ(moved.ordering_key, sent.ordering_key);
  EXPECT_EQ(subscription.poll(1, milliseconds(100)).size(), 0u);
}

CONTRACT_TEST(Deadletter, HeadersAreMerged, "swapmq_settlement.headers; SWAPMQ_SETTLE_DEAD_LETTER",
              "headers are added to the message's own, and one of the same name is replaced") {
  NEEDS(dead_letter);
  Message sent = message("merged");
  sent.headers = {{"own", "kept"}, {"x-reason", "old"}, {"last", std::string("\0\1", 2)}};
  fill(name_, sent);
  Subscription subscription = session_->subscribe(session_->queue(name_), 10);
  const Deliveries got = subscription.receive(1);
  ASSERT_EQ(bury(subscription, got[0], {{"x-reason", "max deliveries"}, {"x-count", "5"}}),
            SWAPMQ_OK);
  const Message moved = buried();
  std::map<std::string, std::string> headers(moved.headers.begin(), moved.headers.end());
  EXPECT_EQ(headers["own"], "kept") << "the message's own header";
  EXPECT_EQ(headers["last"], std::string("\0\1", 2)) << "the message's own header";
  EXPECT_EQ(headers["x-reason"], "max deliveries") << "of the same name: replaced";
  EXPECT_EQ(headers["x-count"], "5") << "added";
  EXPECT_EQ(moved.headers.size(), 4u) << "each name once";
}

CONTRACT_TEST(Deadletter, ManyInOneCallWithAcks, "exchange(); SWAPMQ_SETTLE_DEAD_LETTER",
              "one call acks some and dead-letters others, and each is done as told") {
  NEEDS(dead_letter);
  fill(name_, messages("many", 40));
  Subscription subscription = session_->subscribe(session_->queue(name_), 40);
  const Deliveries got = subscription.receive(40);
  std::vector<swapmq_settlement> settlements;
  std::vector<std::string> expected;
  for (std::size_t i = 0; i < got.size(); ++i) {
    const bool dies = i % 2 == 0;
    settlements.push_back(dies ? dead_letter(got[i], session_->queue(dead_)) : ack(got[i]));
    if (dies) expected.push_back(got.body(i));
  }
  EXPECT_EQ(subscription.settle(settlements), std::vector<swapmq_status>(40, SWAPMQ_OK));
  EXPECT_EQ(drain(name_, 0), std::vector<std::string>());
  EXPECT_EQ(sorted(drain(dead_, 20)), sorted(expected));
}

CONTRACT_TEST(Deadletter, TwiceIsLostAndMovesOnce, "exchange(); SWAPMQ_SETTLE_DEAD_LETTER",
              "a second dead-letter of a delivery is LOST, and the message is moved once") {
  NEEDS(dead_letter);
  fill(name_, message("once"));
  Subscription subscription = session_->subscribe(session_->queue(name_), 10);
  const Deliveries got = subscription.receive(1);
  ASSERT_EQ(bury(subscription, got[0], {}), SWAPMQ_OK);
  EXPECT_EQ(bury(subscription, got[0], {}), SWAPMQ_LOST);
  EXPECT_EQ(drain(dead_, 1), std::vector<std::string>{"once"});
}

CONTRACT_TEST(Deadletter, OfWhatIsLostMovesNothing, "exchange(); SWAPMQ_SETTLE_DEAD_LETTER",
              "a dead-letter of a delivery that was settled before is LOST and moves nothing") {
  NEEDS(dead_letter);
  fill(name_, message("acked"));
  Subscription subscription = session_->subscribe(session_->queue(name_), 10);
  const Deliveries got = subscription.receive(1);
  subscription.ack_all(got);
  EXPECT_EQ(bury(subscription, got[0], {}), SWAPMQ_LOST);
  EXPECT_EQ(drain(dead_, 0), std::vector<std::string>());
}

CONTRACT_TEST(Deadletter, FromTheDeadLetterQueueBack, "SWAPMQ_SETTLE_DEAD_LETTER",
              "a message can be moved on to any queue of the session, also back to where it was") {
  NEEDS(dead_letter);
  fill(name_, message("back"));
  Subscription subscription = session_->subscribe(session_->queue(name_), 10);
  const Deliveries got = subscription.receive(1);
  ASSERT_EQ(bury(subscription, got[0], {{"x", "1"}}), SWAPMQ_OK);
  Subscription dead = session_->subscribe(session_->queue(dead_), 10);
  const Deliveries gone = dead.receive(1);
  ASSERT_EQ(dead.settle(dead_letter(gone[0], session_->queue(name_))), SWAPMQ_OK);
  EXPECT_EQ(subscription.receive(1).body(0), "back");
}

} // namespace
} // namespace swapmq::contract
