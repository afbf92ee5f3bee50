// SPDX-License-Identifier: MIT
//
// Who is woken, when, and by what.
#include <array>
#include <thread>

#include "support.hpp"
#include "waiting_room.hpp"

namespace swapmq::memory::test {
namespace {

using Ids = std::vector<std::string>;

class Room : public ::testing::Test {
 protected:
  Room() {
    for (Waiter& waiter : waiters) {
      waiter.parker = std::make_shared<Parker>();
      waiter.want = 10;
    }
  }
  void call_for(std::size_t ready) {
    room.call_for(
        ready, [](const Waiter&) { return true; }, aftermath);
  }
  [[nodiscard]] std::vector<bool> called() const {
    std::vector<bool> all;
    for (const Waiter& waiter : waiters) all.push_back(waiter.called);
    return all;
  }

  Budget budget{1};
  Aftermath aftermath{budget};
  WaitingRoom room;
  std::array<Waiter, 3> waiters;
};

TEST_F(Room, CallsAsManyAsAreNeededInTheOrderTheyCame) {
  for (Waiter& waiter : waiters) room.enter(waiter, {});
  call_for(10);
  EXPECT_EQ(called(), (std::vector{true, false, false}));
  call_for(10); // the same ten, as far as the room knows
  EXPECT_EQ(called(), (std::vector{true, false, false}));
  call_for(11);
  EXPECT_EQ(called(), (std::vector{true, true, false}));
  call_for(1000);
  EXPECT_EQ(called(), (std::vector{true, true, true}));
}

TEST_F(Room, PassesOverWhoMayNotTake) {
  for (Waiter& waiter : waiters) room.enter(waiter, {});
  room.call_for(
      1, [&](const Waiter& waiter) { return &waiter == &waiters[1]; }, aftermath);
  EXPECT_EQ(called(), (std::vector{false, true, false}));
}

TEST_F(Room, WhoLeavesWithoutTakingIsReplaced) {
  for (Waiter& waiter : waiters) room.enter(waiter, {});
  call_for(1);
  room.awake(waiters[0]);
  room.leave(waiters[0]);
  call_for(1);
  EXPECT_EQ(called(), (std::vector{false, true, false}));
}

TEST_F(Room, WhoWasCalledInVainIsNext) {
  for (Waiter& waiter : waiters) room.enter(waiter, {});
  call_for(1);
  room.awake(waiters[0]);
  room.enter(waiters[0], {});
  call_for(1);
  EXPECT_EQ(called(), (std::vector{true, false, false}));
}

TEST_F(Room, WhoWokeByItselfKeepsItsPlace) {
  for (Waiter& waiter : waiters) room.enter(waiter, {});
  room.awake(waiters[1]);
  room.enter(waiters[1], {});
  call_for(11);
  EXPECT_EQ(called(), (std::vector{true, true, false}));
  for (Waiter& waiter : waiters) {
    room.awake(waiter);
    room.leave(waiter);
  }
  call_for(100); // nobody is left
}

TEST_F(Room, OneKeepsTheTimeForAll) {
  EXPECT_EQ(room.enter(waiters[0], 500), 500);
  EXPECT_EQ(room.enter(waiters[1], 500), std::nullopt);
  EXPECT_EQ(room.enter(waiters[2], 400), 400) << "sooner than the timekeeper would wake";
}

TEST_F(Room, SomebodyIsCalledForASoonerMessage) {
  room.enter(waiters[0], 500);
  room.enter(waiters[1], 500);
  room.keep_time(500, aftermath);
  EXPECT_EQ(called(), (std::vector{false, false, false}));
  room.keep_time(400, aftermath);
  EXPECT_EQ(called(), (std::vector{true, false, false}));
  room.keep_time(400, aftermath); // the one called will look at the time itself
  EXPECT_EQ(called(), (std::vector{true, false, false}));
}

TEST_F(Room, ATimekeeperThatLeavesIsReplaced) {
  room.enter(waiters[0], 500);
  room.enter(waiters[1], 500);
  room.awake(waiters[0]);
  room.leave(waiters[0]);
  room.keep_time(500, aftermath);
  EXPECT_EQ(called(), (std::vector{false, true, false}));
}

TEST_F(Room, NobodyKeepsTimeForNothing) {
  EXPECT_EQ(room.enter(waiters[0], {}), std::nullopt);
  room.keep_time({}, aftermath);
  EXPECT_EQ(called(), (std::vector{false, false, false}));
}

TEST(ParkerTest, RemembersACallAndAnInterrupt) {
  Parker parker;
  parker.prepare();
  parker.unpark();
  parker.park(Parker::Clock::now() + kPatience);
  EXPECT_FALSE(parker.take_interrupt());
  parker.interrupt();
  parker.prepare(); // forgets calls, not interrupts
  parker.park(Parker::Clock::now() + kPatience);
  EXPECT_TRUE(parker.take_interrupt());
  EXPECT_FALSE(parker.take_interrupt());
}

class Waiting : public ::testing::Test {
 protected:
  Backend backend = Backend::own();
  Session session{backend};
  swapmq_queue* queue = session.queue("q");
  swapmq_subscription* subscription = session.subscribe(queue, 10);
};

TEST_F(Waiting, EndsAtTheDeadline) {
  const auto start = std::chrono::steady_clock::now();
  const Deliveries got = session.receive(subscription, 1, 30ms);
  EXPECT_TRUE(got.empty());
  EXPECT_EQ(got.status(), SWAPMQ_OK);
  EXPECT_GE(std::chrono::steady_clock::now() - start, 30ms);
}

TEST_F(Waiting, ADeadlineInThePastMeansNow) {
  session.put(queue, Ids{"a"});
  EXPECT_EQ(session.receive(subscription, 1, -1s).ids(), Ids{"a"});
  EXPECT_TRUE(session.receive(subscription, 1, -1s).empty());
}

TEST_F(Waiting, EndsWhenAMessageComes) {
  std::thread publisher([&] {
    Session other(backend, SWAPMQ_ROLE_PUBLISH);
    other.put(other.queue("q"), Ids{"a"});
  });
  EXPECT_EQ(session.receive(subscription, 1, kPatience).ids(), Ids{"a"});
  publisher.join();
}

TEST_F(Waiting, EndsWhenAnotherGivesBack) {
  Session other(backend);
  swapmq_subscription* theirs = other.subscribe(other.queue("q"));
  session.put(queue, Ids{"a", "b"});
  const Deliveries held = other.receive(theirs, 2);
  std::thread giver([&] {
    other.settle(theirs, held[1], SWAPMQ_SETTLE_NACK);
    other.unsubscribe(theirs);
  });
  EXPECT_EQ(session.drain(subscription, 2).size(), 2U);
  giver.join();
}

TEST_F(Waiting, AnInterruptJustBeforeCounts) {
  session.interrupt();
  session.interrupt();
  EXPECT_EQ(session.receive(subscription, 1, kPatience).status(), SWAPMQ_INTERRUPTED);
  EXPECT_EQ(session.receive(subscription, 1, 1ms).status(), SWAPMQ_OK) << "several count as one";
}

TEST_F(Waiting, AnInterruptEndsAWait) {
  for (int round = 0; round < 200; ++round) { // just before, during, just after it began
    std::thread interrupter([&] { session.interrupt(); });
    EXPECT_EQ(session.receive(subscription, 1, kPatience).status(), SWAPMQ_INTERRUPTED);
    interrupter.join();
  }
}

TEST_F(Waiting, AnInterruptDoesNotHoldBackMessages) {
  session.put(queue, Ids{"a"});
  session.interrupt();
  const Deliveries got = session.receive(subscription, 1, kPatience);
  EXPECT_EQ(got.status(), SWAPMQ_OK);
  EXPECT_EQ(got.ids(), Ids{"a"});
}

TEST_F(Waiting, SettlingDoesNotUseUpAnInterrupt) {
  session.put(queue, Ids{"a"});
  const Deliveries got = session.receive(subscription, 1);
  session.interrupt();
  EXPECT_EQ(session.ack(subscription, got[0]), SWAPMQ_OK);
  EXPECT_EQ(session.receive(subscription, 1, kPatience).status(), SWAPMQ_INTERRUPTED);
}

TEST_F(Waiting, AtItsPrefetchAnInterruptEndsItToo) {
  swapmq_subscription* narrow = session.subscribe(queue, 1);
  session.put(queue, Ids{"a", "b"});
  const Deliveries got = session.receive(narrow, 1);
  session.interrupt();
  EXPECT_EQ(session.receive(narrow, 1, kPatience).status(), SWAPMQ_INTERRUPTED);
}

} // namespace
} // namespace swapmq::memory::test
