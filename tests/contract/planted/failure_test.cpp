// SPDX-License-Identifier: MIT
//
// GoogleTest's words taken apart, and calls in words.
#include "failure.h"

#include <gtest/gtest.h>

#include <thread>

#include "breach.h"
#include "call_words.h"

namespace {

using swapmq::contract::CallSeen;
using swapmq::contract::CallUnderWay;
using swapmq::contract::Failure;
using swapmq::contract::take_apart;
namespace words = swapmq::contract::words;

TEST(Failures, AnEqualityOfStatusesIsInWords) {
  const Failure failure = take_apart(
      "Expected equality of these values:\n  subscription.settle(ack(got[0]))\n    Which is: 0\n"
      "  SWAPMQ_LOST\n    Which is: 12\nready again");
  EXPECT_EQ(failure.expected, "LOST");
  EXPECT_EQ(failure.got, "OK  (subscription.settle(ack(got[0])))");
  EXPECT_EQ(failure.note, "ready again");
  EXPECT_EQ(failure.found, "");
}

TEST(Failures, SeveralStatusesAreInWords) {
  const Failure failure = take_apart(
      "Expected equality of these values:\n  settled\n    Which is: { 0, -2 }\n"
      "  std::vector<swapmq_status>(2, SWAPMQ_OK)\n    Which is: { 0, 0 }\n");
  EXPECT_EQ(failure.expected, "{ OK, OK }");
  EXPECT_EQ(failure.got, "{ OK, PENDING }  (settled)");
}

TEST(Failures, AnOutcomeIsInWords) {
  const Failure failure = take_apart(
      "Expected equality of these values:\n  results[1].outcome\n    Which is: 1\n"
      "  SWAPMQ_PUBLISH_FAILED\n    Which is: 2\nCONFIRMED");
  EXPECT_EQ(failure.expected, "FAILED");
  EXPECT_EQ(failure.got, "CONFIRMED  (results[1].outcome)");
  EXPECT_EQ(failure.note, "") << "says it a second time";
}

TEST(Failures, NumbersOfOtherThingsStayNumbers) {
  const Failure failure = take_apart(
      "Expected equality of these values:\n  got[0].delivery_count\n    Which is: 1\n  2\n");
  EXPECT_EQ(failure.expected, "2");
  EXPECT_EQ(failure.got, "1  (got[0].delivery_count)");
}

TEST(Failures, AComparisonSaysTheBound) {
  const Failure failure = take_apart(
      "Expected: (result.took) >= (wait - kEarly), actual: 30130689ns vs 48ms\nreturned early\n"
      "Google Test trace:\n/a/waiting_test.cpp:55: 50 ms\n");
  EXPECT_EQ(failure.expected, "result.took >= wait - kEarly  (48ms)");
  EXPECT_EQ(failure.got, "30.1ms");
  EXPECT_EQ(failure.note, "returned early");
  EXPECT_EQ(failure.with, "50 ms");
}

TEST(Failures, ACondition) {
  const Failure failure = take_apart(
      "Value of: eventually([&] {\n    return done; })\n  Actual: false\nExpected: true\nnever "
      "came");
  EXPECT_EQ(failure.expected, "true: eventually([&] { return done; })");
  EXPECT_EQ(failure.got, "false");
  EXPECT_EQ(failure.note, "never came");
}

TEST(Failures, WhatIsOfAnotherKindIsFoundAsItIs) {
  EXPECT_EQ(take_apart("Failed\nping() returned 99, which is no status").found,
            "ping() returned 99, which is no status");
  EXPECT_EQ(
      take_apart("C++ exception with description \"no\nmessage\" thrown in the test body.\n").found,
      "no\nmessage");
  EXPECT_EQ(take_apart("Expected: something else").found, "Expected: something else");
  EXPECT_EQ(take_apart("").found, "");
}

TEST(Calls, AreInWords) {
  const swapmq_settlement settlements[3] = {
      {nullptr, SWAPMQ_SETTLE_ACK, 0, 0, nullptr, nullptr, 0, 0},
      {nullptr, SWAPMQ_SETTLE_ACK, 0, 0, nullptr, nullptr, 0, 0},
      {nullptr, 77, 0, 0, nullptr, nullptr, 0, 0}};
  swapmq_status results[3] = {SWAPMQ_OK, SWAPMQ_LOST, SWAPMQ_STATUS_UNTOUCHED};
  swapmq_exchange_args args{};
  args.struct_size = sizeof args;
  args.settlement_size = sizeof settlements[0];
  args.settlements = settlements;
  args.settlement_count = 3;
  args.settlement_results = results;
  args.max_messages = 1;
  EXPECT_EQ(words::of_exchange(&args),
            "3 settlements: 2 ack of no delivery, action 77 of no delivery; up to 1 message, no "
            "wait");
  EXPECT_EQ(words::came_of_settlements(&args), ", settled: OK, LOST, UNTOUCHED");
  EXPECT_EQ(words::quoted({"a\"\n\0b", 5}), "\"a\\\"\\x0a\\x00b\"");
  EXPECT_EQ(words::came_of_batch(nullptr), ", nothing");
}

/// What is wrong on purpose is not read.
TEST(Calls, OfWrongArgumentsAreInWords) {
  EXPECT_EQ(words::of_exchange(nullptr), "args NULL");
  swapmq_exchange_args args{};
  args.struct_size = 4;
  EXPECT_EQ(words::of_exchange(&args), "args of 4 bytes");
  args.struct_size = sizeof args;
  args.settlement_count = 2;
  EXPECT_EQ(words::of_exchange(&args), "2 settlements at NULL; up to 0 messages, no wait");
  const swapmq_settlement settlement{};
  args.settlements = &settlement;
  args.settlement_size = 8;
  EXPECT_EQ(words::of_exchange(&args), "2 settlements; up to 0 messages, no wait");
  swapmq_publish_args publish{};
  publish.struct_size = sizeof publish;
  publish.count = 1;
  EXPECT_EQ(words::of_publish(&publish), "1 message at NULL");
  EXPECT_EQ(words::came_of_publish(&publish), "");
  EXPECT_EQ(words::quoted({nullptr, 5}), "at NULL");
}

/// The log is that of the process; each test forgets what was before.
class CallLog : public testing::Test {
 protected:
  void SetUp() override {
    static const bool logs = swapmq::contract::log_calls("");
    ASSERT_TRUE(logs);
    const CallUnderWay first("before the test"); // so that this thread is the test's own
    swapmq::contract::forget_calls();
  }
  static void call(const char* what, const char* returned) {
    CallUnderWay under_way(what);
    under_way.returned(returned);
  }
  static std::vector<std::string> names(const std::vector<CallSeen>& calls) {
    std::vector<std::string> lines;
    for (const CallSeen& seen : calls) lines.push_back((seen.failing ? "> " : "") + seen.call);
    return lines;
  }
};

TEST_F(CallLog, ShowsTheLastAndMarksTheOneThatGaveSomething) {
  for (const char* what : {"a", "b", "c", "d", "e", "f", "g"}) call(what, "OK");
  EXPECT_EQ(names(swapmq::contract::calls_before("")),
            (std::vector<std::string>{"b", "c", "d", "e", "f", "> g"}));
  { const CallUnderWay nothing_given("close()"); }
  EXPECT_EQ(names(swapmq::contract::calls_before("")),
            (std::vector<std::string>{"c", "d", "e", "f", "g", "close()"}));
}

TEST_F(CallLog, WhatRepeatsIsOne) {
  for (int i = 0; i < 40; ++i) call("exchange()", "OK, nothing");
  call("exchange()", "OK, 1 delivery");
  const std::vector<CallSeen> calls = swapmq::contract::calls_before("");
  ASSERT_EQ(calls.size(), 2u);
  EXPECT_EQ(calls[0].times, 40u);
  EXPECT_EQ(to_line(calls[0]).substr(0, 28), "exchange() -> OK, nothing, 0");
  EXPECT_NE(to_line(calls[0]).find(" ms (40 times)"), std::string::npos);
}

TEST_F(CallLog, OfWhatIsThrownAreThoseBeforeIt) {
  call("ping()", "TIMEOUT");
  const swapmq::contract::Breach breach("ping() returned TIMEOUT");
  { const CallUnderWay unwinding("session_close()"); }
  EXPECT_EQ(names(swapmq::contract::calls_before("said: ping() returned TIMEOUT")),
            std::vector<std::string>{"> ping()"});
  EXPECT_EQ(names(swapmq::contract::calls_before("another failure")),
            (std::vector<std::string>{"ping()", "session_close()"}));
}

TEST_F(CallLog, AThreadSeesItsOwnAndTheTestSeesAll) {
  call("of the test", "OK");
  std::vector<std::string> of_thread;
  std::thread([&] {
    call("of a thread", "OK");
    { const CallUnderWay nothing_given("close()"); }
    of_thread = names(swapmq::contract::calls_before(""));
  }).join();
  EXPECT_EQ(of_thread, (std::vector<std::string>{"of a thread", "close()"}));
  const std::vector<CallSeen> all = swapmq::contract::calls_before("");
  EXPECT_EQ(names(all), (std::vector<std::string>{"> of the test", "of a thread"}));
  EXPECT_EQ(to_line(all[1]).substr(0, 27), "thread 2: of a thread -> OK");
}

/// There is room for fewer threads than these, but they come one after the other.
TEST_F(CallLog, AThreadSeesNothingOfThoseBeforeIt) {
  for (int i = 0; i < 150; ++i) {
    std::thread([] {
      call("of one", "OK");
      const std::vector<CallSeen> calls = swapmq::contract::calls_before("");
      ASSERT_EQ(calls.size(), 1u);
      EXPECT_EQ(calls[0].times, 1u);
    }).join();
  }
}

TEST_F(CallLog, TheOneThatHasNotReturnedIsSeenWhoeverGoesOn) {
  const CallUnderWay hanging("exchange()");
  std::thread([] {
    for (const char* what : {"a", "b", "c", "d", "e", "f", "g"}) call(what, "OK");
  }).join();
  const std::vector<CallSeen> calls = swapmq::contract::calls_at_the_end();
  ASSERT_EQ(calls.size(), 6u);
  EXPECT_TRUE(calls.back().failing);
  EXPECT_EQ(to_line(calls.back()), "exchange() -> has not returned");
}

TEST_F(CallLog, MoreThreadsThanItHasRoomForAreLeftOut) {
  std::vector<std::thread> threads;
  threads.reserve(200);
  for (int i = 0; i < 200; ++i) {
    threads.emplace_back([] { call("of one of many", "OK"); });
  }
  for (std::thread& thread : threads) thread.join();
  call("of the test", "OK");
  EXPECT_EQ(swapmq::contract::calls_before("").back().call, "of the test");
}

} // namespace
