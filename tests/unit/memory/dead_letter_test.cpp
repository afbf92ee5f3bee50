// SPDX-License-Identifier: MIT
#include <thread>

#include "support.hpp"

namespace swapmq::memory::test {
namespace {

using Ids = std::vector<std::string>;

class DeadLetter : public ::testing::Test {
 protected:
  Backend backend = Backend::own(R"(,"max_messages":4)");
  Session session{backend};
  swapmq_queue* queue = session.queue("q");
  swapmq_queue* dead = session.queue("q.dead");
  swapmq_subscription* subscription = session.subscribe(queue);
};

TEST_F(DeadLetter, MovesWithHeadersMerged) {
  Draft sent = draft("a");
  sent.headers = {{"reason", "none"}, {"kept", "1"}};
  sent.delivery_count = 4;
  sent.priority = 2;
  session.put(queue, std::vector{sent});
  const Deliveries got = session.receive(subscription, 1);
  EXPECT_EQ(session.dead_letter(subscription, got[0], dead, {{"reason", "rejected"}, {"n", "5"}}),
            SWAPMQ_OK);
  EXPECT_EQ(sizes(session, queue), (Sizes{0, 0, 0}));
  EXPECT_EQ(sizes(session, dead), (Sizes{1, 0, 0}));
  const Deliveries letter = session.receive(session.subscribe(dead), 1);
  EXPECT_EQ(letter.id(0), "a");
  EXPECT_EQ(letter.body(0), sent.body);
  EXPECT_EQ(letter.headers(0), (HeaderList{{"kept", "1"}, {"reason", "rejected"}, {"n", "5"}}));
  EXPECT_EQ(letter[0].delivery_count, 1U);
  EXPECT_EQ(letter[0].flags, 0U);
  EXPECT_EQ(letter[0].message->timestamp_ms, sent.timestamp_ms);
  EXPECT_EQ(letter[0].message->priority, 2U);
}

TEST_F(DeadLetter, DoesNotExpire) {
  Draft sent = draft("a");
  sent.expires_at_ms = backend::unix_now_ms() + 3'600'000;
  session.put(queue, std::vector{sent});
  const Deliveries got = session.receive(subscription, 1);
  session.dead_letter(subscription, got[0], dead);
  const Deliveries letter = session.receive(session.subscribe(dead), 1);
  EXPECT_EQ(letter[0].message->expires_at_ms, 0);
}

TEST_F(DeadLetter, IsLostWhenItWasSettled) {
  session.put(queue, Ids{"a"});
  const Deliveries got = session.receive(subscription, 1);
  session.ack(subscription, got[0]);
  EXPECT_EQ(session.dead_letter(subscription, got[0], dead), SWAPMQ_LOST);
  EXPECT_EQ(session.stats(dead).exists, 0);
}

TEST_F(DeadLetter, IntoAFullQueueLeavesItUnsettled) {
  session.put(dead, Ids{"1", "2", "3", "4"});
  session.put(queue, Ids{"a"});
  const Deliveries got = session.receive(subscription, 1);
  EXPECT_EQ(session.dead_letter(subscription, got[0], dead), SWAPMQ_RESOURCE_EXHAUSTED);
  EXPECT_EQ(sizes(session, queue), (Sizes{0, 1, 0}));
  EXPECT_EQ(sizes(session, dead), (Sizes{4, 0, 0}));
  session.purge(dead);
  EXPECT_EQ(session.dead_letter(subscription, got[0], dead), SWAPMQ_OK);
}

TEST_F(DeadLetter, IntoItsOwnQueueGoesToTheEnd) {
  session.put(queue, Ids{"a", "b", "c", "d"}); // full: nothing is added, so this must work
  const Deliveries got = session.receive(subscription, 1);
  EXPECT_EQ(session.dead_letter(subscription, got[0], queue, {{"again", "1"}}), SWAPMQ_OK);
  EXPECT_EQ(session.drain(subscription, 4), (Ids{"b", "c", "d", "a"}));
}

TEST_F(DeadLetter, NeedsNoRoomForWhatItMoves) {
  Backend tight = Backend::own(R"(,"max_bytes":65536)");
  Session narrow(tight);
  swapmq_queue* from = narrow.queue("q");
  Draft large = draft("large");
  large.body = std::string(60000, 'x');
  narrow.put(from, std::vector{large});
  swapmq_subscription* consumer = narrow.subscribe(from);
  for (int round = 0; round < 5; ++round) { // and it never leaks any
    const Deliveries got = narrow.receive(consumer, 1);
    ASSERT_EQ(got.size(), 1U);
    ASSERT_EQ(narrow.dead_letter(consumer, got[0], from, {{"round", "x"}}), SWAPMQ_OK);
  }
  EXPECT_EQ(narrow.drain(consumer, 1), Ids{"large"});
  narrow.put(from, std::vector{large});
}

TEST_F(DeadLetter, WakesWhoWaitsForDeadLetters) {
  session.put(queue, Ids{"a"});
  const Deliveries got = session.receive(subscription, 1);
  Ids letters;
  std::thread reader([&] {
    Session other(backend);
    letters = other.drain(other.subscribe(other.queue("q.dead")), 1);
  });
  EXPECT_EQ(session.dead_letter(subscription, got[0], dead), SWAPMQ_OK);
  reader.join();
  EXPECT_EQ(letters, Ids{"a"});
}

TEST_F(DeadLetter, TwoQueuesMayMoveIntoEachOther) {
  const auto move_forth_and_back = [&](const char* from, const char* to) {
    Session mover(backend);
    swapmq_queue* target = mover.queue(to);
    swapmq_subscription* source = mover.subscribe(mover.queue(from));
    for (int i = 0; i < 2000; ++i) {
      const Deliveries got = mover.receive(source, 1);
      if (!got.empty()) {
        EXPECT_EQ(mover.dead_letter(source, got[0], target), SWAPMQ_OK);
      }
    }
  };
  session.put(queue, Ids{"a", "b"});
  session.put(dead, Ids{"c", "d"});
  std::thread forth([&] { move_forth_and_back("q", "q.dead"); });
  std::thread back([&] { move_forth_and_back("q.dead", "q"); });
  forth.join();
  back.join();
  EXPECT_EQ(sizes(session, queue).ready + sizes(session, dead).ready, 4U);
}

} // namespace
} // namespace swapmq::memory::test
