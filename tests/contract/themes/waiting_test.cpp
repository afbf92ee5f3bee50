// SPDX-License-Identifier: MIT
//
// Waits end at their deadline, when a message comes, or when interrupted, and not otherwise.
#include <atomic>
#include <optional>

#include "fixture.h"

namespace swapmq::contract {
namespace {

/// How much before its deadline a wait may end: clocks are read twice.
constexpr milliseconds kEarly{2};
constexpr milliseconds kLong{4000};

class Waiting : public Contract {
 protected:
  void SetUp() override {
    Contract::SetUp();
    name_ = fresh_queue("waiting");
    session_.emplace(consumer());
    subscription_.emplace(session_->subscribe(session_->queue(name_), 10));
  }

  /// Ended at its deadline: with nothing, not early, hardly late.
  void expect_waits(milliseconds wait) {
    const Exchanged result = subscription_->exchange({}, 1, in(wait));
    EXPECT_EQ(result.status, SWAPMQ_OK) << status_name(result.status) << " " << result.error;
    EXPECT_EQ(result.batch.size(), 0u);
    EXPECT_GE(result.took, wait - kEarly) << "returned early";
    EXPECT_LE(result.took, wait + kit().options.tolerance) << "returned late";
  }

  void expect_interrupted(const Exchanged& result) {
    EXPECT_EQ(result.status, SWAPMQ_INTERRUPTED) << status_name(result.status);
    EXPECT_LE(result.took, kit().options.tolerance) << "interrupted, and waited on";
  }

  std::string name_;
  std::optional<Session> session_;
  std::optional<Subscription> subscription_;
};

CONTRACT_TEST(Waiting, EndsAtItsDeadline, "exchange(); Rules for every function: Blocking",
              "an exchange without messages returns at its deadline, neither early nor late") {
  for (const int wait : {50, 100, 300, 75, 20}) {
    SCOPED_TRACE(std::to_string(wait) + " ms");
    expect_waits(milliseconds(wait));
  }
}

CONTRACT_TEST(Waiting, EndsAtItsDeadlineWhileSomethingIsHeld,
              "exchange(); Rules for every function: Blocking",
              "an exchange returns at its deadline also while deliveries are unsettled") {
  fill(name_, message("held"));
  const Deliveries held = subscription_->receive(1);
  for (const int wait : {50, 300}) expect_waits(milliseconds(wait));
}

CONTRACT_TEST(Waiting, ADeadlineInThePastReturnsAtOnce, "Rules for every function: Blocking",
              "a deadline in the past means to do what can be done without waiting") {
  for (const int past : {0, -1, -100000}) {
    const Exchanged result = subscription_->exchange({}, 1, in(milliseconds(past)));
    EXPECT_EQ(result.status, SWAPMQ_OK) << status_name(result.status);
    EXPECT_LE(result.took, kit().options.tolerance);
  }
}

CONTRACT_TEST(Waiting, ADeadlineInThePastStillReceives,
              "exchange(); Rules for every function: Blocking",
              "an exchange with a deadline in the past hands out what is there") {
  fill(name_, message("there"));
  Deliveries got;
  EXPECT_TRUE(eventually([&] {
    got.add(subscription_->poll(1, milliseconds(-1)));
    return !got.empty();
  })) << "a message that is there never came to calls with a deadline in the past";
  subscription_->ack_all(got);
}

CONTRACT_TEST(Waiting, NoCallWaitsWithADeadlineInThePast, "Rules for every function: Blocking",
              "no function waits with a deadline in the past") {
  swapmq_queue* queue = session_->queue(name_);
  swapmq_queue_stats stats{};
  stats.struct_size = sizeof stats;
  const std::int64_t past = in(milliseconds(-10));
  const auto quick = [&](const char* what, auto&& function) {
    ErrorProbe probe;
    const auto start = Clock::now();
    const swapmq_status status = call(what, past, probe, function);
    EXPECT_LE(since(start), kit().options.tolerance) << what;
    EXPECT_TRUE(status == SWAPMQ_OK || status == SWAPMQ_TIMEOUT) << what << " " << probe.text();
  };
  quick("ping", [&](auto* error) { return vt().ping(session_->raw(), past, error); });
  quick("service", [&](auto* error) { return vt().service(session_->raw(), past, error); });
  quick("create_queue",
        [&](auto* error) { return vt().create_queue(session_->raw(), queue, past, error); });
  quick("queue_stats",
        [&](auto* error) { return vt().queue_stats(session_->raw(), queue, &stats, past, error); });
}

CONTRACT_TEST(Waiting, EndsWhenAMessageComes, "exchange()",
              "an exchange that waits returns as soon as a message is published") {
  for (int round = 0; round < 3; ++round) {
    Crew crew;
    Session session = publisher();
    crew.run([&] {
      std::this_thread::sleep_for(milliseconds(60)); // so that the wait has most likely begun
      session.confirm(session.queue(name_), message("awaited"));
    });
    const Exchanged result = subscription_->exchange({}, 1, in(kLong));
    crew.join();
    ASSERT_EQ(result.batch.size(), 1u) << status_name(result.status);
    EXPECT_LE(result.took, milliseconds(60) + kit().options.tolerance);
    ASSERT_EQ(subscription_->settle(ack(result.batch[0])), SWAPMQ_OK);
  }
}

CONTRACT_TEST(Waiting, EndsWhenAnotherConsumerGivesBack, "exchange()",
              "an exchange that waits returns as soon as another consumer gives a message back") {
  fill(name_, message("given back"));
  Session other = consumer();
  Subscription holder = other.subscribe(other.queue(name_), 1);
  const Deliveries held = holder.receive(1);
  Crew crew;
  crew.run([&] {
    std::this_thread::sleep_for(milliseconds(60));
    holder.settle(nack(held[0]));
    holder.unsubscribe();
  });
  const Exchanged result = subscription_->exchange({}, 1, in(kLong));
  crew.join();
  EXPECT_EQ(result.batch.size(), 1u);
  EXPECT_LT(result.took, kLong);
}

CONTRACT_TEST(Waiting, InterruptEndsTheWait, "interrupt(); SWAPMQ_INTERRUPTED",
              "an interrupt ends the wait of an exchange with INTERRUPTED") {
  for (int round = 0; round < 5 && !HasFailure(); ++round) {
    Crew crew;
    crew.run([&] {
      std::this_thread::sleep_for(milliseconds(40));
      session_->interrupt();
    });
    const Exchanged result = subscription_->exchange({}, 1, in(kLong));
    crew.join();
    EXPECT_EQ(result.status, SWAPMQ_INTERRUPTED) << status_name(result.status);
    EXPECT_LE(result.took, milliseconds(40) + kit().options.tolerance);
    EXPECT_EQ(result.batch.size(), 0u);
  }
  expect_waits(milliseconds(60));
}

CONTRACT_TEST(Waiting, AnInterruptJustBeforeTheReceiveCounts, "interrupt()",
              "an interrupt while nobody waits ends the next exchange with max_messages above 0") {
  for (int round = 0; round < 20 && !HasFailure(); ++round) { // each failure is a long wait
    session_->interrupt();
    expect_interrupted(subscription_->exchange({}, 1, in(kLong)));
  }
}

CONTRACT_TEST(Waiting, AnInterruptCountsOnce, "interrupt()",
              "an interrupt ends one wait, and the next ones last until their deadline") {
  session_->interrupt();
  expect_interrupted(subscription_->exchange({}, 1, in(kLong)));
  expect_waits(milliseconds(60));
  expect_waits(milliseconds(60));
}

CONTRACT_TEST(Waiting, SeveralInterruptsAreOne, "interrupt()",
              "several interrupts before a wait count as one") {
  for (int i = 0; i < 5; ++i) session_->interrupt();
  expect_interrupted(subscription_->exchange({}, 1, in(kLong)));
  expect_waits(milliseconds(60));
}

CONTRACT_TEST(Waiting, SettlingOnlyLeavesTheInterruptForTheReceive, "interrupt()",
              "an exchange with max_messages 0 leaves the interrupt for the next that receives") {
  fill(name_, message("settled"));
  const Deliveries held = subscription_->receive(1);
  session_->interrupt();
  EXPECT_EQ(subscription_->settle(ack(held[0])), SWAPMQ_OK);
  expect_interrupted(subscription_->exchange({}, 1, in(kLong)));
}

CONTRACT_TEST(Waiting, AnInterruptedCallHasSettled, "exchange(); SWAPMQ_INTERRUPTED",
              "an exchange that was interrupted has done its settlements") {
  fill(name_, message("settled"));
  const Deliveries held = subscription_->receive(1);
  session_->interrupt();
  const swapmq_settlement one = ack(held[0]);
  const Exchanged result = subscription_->exchange({&one, 1}, 1, in(kLong));
  expect_interrupted(result);
  EXPECT_EQ(result.settled, std::vector<swapmq_status>{SWAPMQ_OK});
  expect_stats(name_, 0, 0, 0);
}

CONTRACT_TEST(Waiting, AnInterruptIsForItsOwnSessionOnly, "interrupt()",
              "an interrupt ends no wait of another session") {
  Session other = consumer();
  other.interrupt();
  expect_waits(milliseconds(60));
}

CONTRACT_TEST(Waiting, InterruptsLoseNothing, "interrupt()",
              "interrupts in the middle of receives lose and double nothing") {
  constexpr std::size_t kMessages = 300;
  std::atomic<bool> done{false};
  Crew crew;
  crew.run([&] {
    while (!done) {
      session_->interrupt();
      std::this_thread::sleep_for(std::chrono::microseconds(300));
    }
  });
  const auto sent = messages("through", kMessages);
  crew.run([&] {
    Session session = publisher();
    swapmq_queue* queue = session.queue(name_);
    for (const Message& message : sent) session.confirm(queue, message);
  });
  std::vector<std::string> got;
  const auto start = Clock::now();
  while (got.size() < kMessages && since(start) < 3 * kit().options.patience) {
    Exchanged result = subscription_->exchange({}, 10, in(milliseconds(200)));
    if (result.status != SWAPMQ_OK && result.status != SWAPMQ_INTERRUPTED) {
      ADD_FAILURE() << status_name(result.status) << " " << result.error;
      break;
    }
    Deliveries some;
    some.add(std::move(result.batch));
    for (std::size_t i = 0; i < some.size(); ++i) got.push_back(some.body(i));
    subscription_->ack_all(some);
  }
  done = true;
  crew.join();
  EXPECT_EQ(sorted(got), sorted(bodies(sent)));
}

} // namespace
} // namespace swapmq::contract
