// SPDX-License-Identifier: MIT
//
// Looking at what is ready without taking it: swapmq.peek/1.
#include <algorithm>
#include <optional>
#include <vector>

#include "fixture.h"

namespace swapmq::contract {
namespace {

constexpr std::int64_t kHourMs = 3600 * 1000;

class Peek : public Contract {
 protected:
  void SetUp() override {
    Contract::SetUp();
    if (peek_table() == nullptr) NOT_PROMISED(SWAPMQ_EXTENSION_PEEK);
    name_ = fresh_queue("peek");
    session_.emplace(admin());
    queue_ = session_->queue(name_);
    // The power may depend on options.
    if (session_->try_peek(queue_, 1).status == SWAPMQ_NOT_SUPPORTED) {
      NOT_PROMISED("looking at messages, with these options");
    }
  }

  Deliveries look(std::uint64_t most, std::uint64_t max_bytes = 0) {
    return session_->peek(queue_, most, max_bytes);
  }

  std::string name_;
  std::optional<Session> session_;
  swapmq_queue* queue_ = nullptr;
};

CONTRACT_TEST(Peek, ShowsWhatIsReadyInOrder, "swapmq_peek.peek",
              "what is ready is shown in the order of delivery, with the count and flags of its "
              "next delivery") {
  const std::vector<Message> sent = messages("m", 7);
  fill(name_, sent);
  const std::vector<std::string> all = bodies(sent);
  EXPECT_EQ(look(3).bodies(), std::vector(all.begin(), all.begin() + 3));
  const Deliveries shown = look(100);
  ASSERT_EQ(shown.bodies(), all);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    EXPECT_EQ(difference(sent[i], copy(*shown[i].message)), "");
    EXPECT_EQ(shown[i].delivery_count, 1u);
    EXPECT_EQ(shown[i].flags & SWAPMQ_DELIVERY_REDELIVERED, 0u);
  }
}

CONTRACT_TEST(Peek, TakesNothing, "swapmq_peek.peek",
              "consumers get what was shown as if nobody had looked, uncounted and unflagged") {
  const std::vector<Message> sent = messages("m", 5);
  fill(name_, sent);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(look(4).size(), 4u);
  expect_stats(name_, 5, 0, 0);
  Session session = consumer();
  Subscription taker = session.subscribe(session.queue(name_), 100);
  const Deliveries got = taker.receive(5);
  EXPECT_EQ(got.bodies(), bodies(sent));
  for (const swapmq_delivery* delivery : got) {
    EXPECT_EQ(delivery->delivery_count, 1u) << "looking is not counted";
    EXPECT_EQ(delivery->flags & SWAPMQ_DELIVERY_REDELIVERED, 0u);
  }
  taker.ack_all(got);
  EXPECT_EQ(look(10).size(), 0u) << "acked";
}

CONTRACT_TEST(
    Peek, WhatIsShownOutlivesTheMessageAndTheSession, "swapmq_peek.peek; swapmq_batch",
    "what a peek shows stays until its release, also when the message and the session are gone") {
  fill(name_, message(pattern(1000)));
  const Deliveries shown = look(1);
  ASSERT_EQ(shown.size(), 1u);
  EXPECT_EQ(drain(name_, 1).size(), 1u);
  session_->close();
  EXPECT_EQ(shown.body(0), pattern(1000));
}

CONTRACT_TEST(Peek, NotWhatIsUnacked, "swapmq_peek.peek",
              "what a consumer holds is not shown, until it gives it back") {
  fill(name_, messages("m", 3));
  Session session = consumer();
  Subscription holder = session.subscribe(session.queue(name_), 1);
  const Deliveries held = holder.receive(1);
  EXPECT_EQ(look(10).bodies(), (std::vector<std::string>{"m 1", "m 2"}));
  holder.unsubscribe(); // which gives it back
  EXPECT_TRUE(eventually([&] {
    return look(10).bodies() == std::vector<std::string>{"m 0", "m 1", "m 2"};
  })) << "it is back at its place";
}

CONTRACT_TEST(Peek, NotWhatWaitsForItsTime, "swapmq_peek.peek",
              "what waits for its time is not shown, until it is due") {
  NEEDS(delayed_publish);
  Message later = message("later");
  later.due_at_ms = unix_now_ms() + kHourMs;
  fill(name_, std::vector{later, message("now")});
  EXPECT_EQ(look(10).bodies(), std::vector<std::string>{"now"});
  Message soon = message("soon");
  soon.due_at_ms = unix_now_ms() + 300;
  fill(name_, soon);
  const std::vector<std::string> both{"now", "soon"};
  EXPECT_TRUE(eventually([&] { return sorted(look(10).bodies()) == both; })) << "due meanwhile";
}

CONTRACT_TEST(Peek, WhatCameBackIsShownWithItsCount, "swapmq_peek.peek",
              "what came back is shown with the count and the flag that its next delivery has") {
  fill(name_, message("nacked"));
  Session session = consumer();
  Subscription holder = session.subscribe(session.queue(name_), 1);
  for (std::uint32_t count = 1; count <= 2; ++count) {
    const Deliveries held = holder.receive(1);
    EXPECT_EQ(held[0].delivery_count, count);
    EXPECT_EQ(holder.settle(nack(held[0])), SWAPMQ_OK);
  }
  holder.unsubscribe(); // else it might be read ahead
  Deliveries shown;
  ASSERT_TRUE(eventually([&] {
    shown = look(10);
    return shown.size() == 1;
  }));
  EXPECT_EQ(shown[0].delivery_count, 3u) << "as the next delivery is counted";
  EXPECT_NE(shown[0].flags & SWAPMQ_DELIVERY_REDELIVERED, 0u);
}

CONTRACT_TEST(Peek, NotWhatHasExpired, "swapmq_peek.peek; swapmq_message.expires_at_ms",
              "what has expired is not shown") {
  NEEDS(ttl);
  Message brief = message("brief");
  brief.expires_at_ms = unix_now_ms() + 300;
  fill(name_, std::vector{brief, message("lasting")});
  EXPECT_TRUE(eventually([&] { return look(10).bodies() == std::vector<std::string>{"lasting"}; }));
}

CONTRACT_TEST(Peek, HigherPriorityComesFirst, "swapmq_peek.peek; swapmq_capabilities.priority",
              "what is ready is shown as it would be delivered now: higher priority first") {
  NEEDS(priority);
  std::vector<Message> sent = messages("m", 4);
  sent[1].priority = 2;
  sent[3].priority = 1;
  fill(name_, sent);
  EXPECT_EQ(look(10).bodies(), (std::vector<std::string>{"m 1", "m 3", "m 0", "m 2"}));
}

CONTRACT_TEST(Peek, BodiesGoUpToMaxBytes, "swapmq_peek.peek",
              "bodies go up to max_bytes, and the first message always fits") {
  fill(name_, std::vector{message(pattern(1000)), message(pattern(1000)), message(pattern(1000))});
  EXPECT_EQ(look(10, 2500).size(), 2u);
  EXPECT_EQ(look(10, 3000).size(), 3u);
  EXPECT_EQ(look(10, 10).size(), 1u) << "the first always fits";
}

CONTRACT_TEST(Peek, OfAnEmptyQueueNoneAndAMissingOneIsNotMade, "swapmq_peek.peek",
              "of an empty or missing queue nothing is shown, and a missing one is not made") {
  EXPECT_EQ(look(10).size(), 0u);
  EXPECT_EQ(session_->stats(queue_).exists, 0) << "it was made";
  session_->create(queue_);
  EXPECT_EQ(look(10).size(), 0u);
}

CONTRACT_TEST(Peek, DoesNotWait, "swapmq_peek.peek", "a peek does not wait for messages to come") {
  const auto start = Clock::now();
  EXPECT_EQ(look(1).size(), 0u);
  EXPECT_LT(since(start), 4 * kit().options.tolerance);
}

CONTRACT_TEST(Peek, BesideConsumersAtWork, "swapmq_peek.peek",
              "looking while consumers are at work loses and doubles nothing") {
  constexpr std::size_t kMessages = 2000;
  fill(name_, messages("m", kMessages));
  std::vector<std::string> got;
  Crew crew;
  crew.run([&] { got = drain(name_, kMessages); });
  for (std::size_t looks = 0; looks < 50; ++looks) {
    for (const swapmq_delivery* delivery : look(20))
      EXPECT_TRUE(body_of(*delivery).starts_with("m "));
  }
  crew.join();
  EXPECT_EQ(got.size(), kMessages) << "each once, whoever looked";
}

} // namespace
} // namespace swapmq::contract
