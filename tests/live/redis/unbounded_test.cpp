// SPDX-License-Identifier: MIT
//
// The plugin against servers that have no measure: that never end an answer, answer what nobody
// asked, break off each time, or take their time.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "../../support/backend_driver.hpp"
#include "polite_server.hpp"
#include "resp.hpp"

namespace swapmq::live {
namespace {

using test::Exchanged;
using test::OpenedBackend;
using test::Outcome;
using test::Published;
using test::SessionPtr;

// Beyond the deadline; more is a hang.
constexpr milliseconds kLate(1000);
// An exchange that is to do something has three seconds more for that.
constexpr milliseconds kGrace(3000);

std::string options(const FakeServer& server, const std::string& more = "") {
  return "{\"port\":" + std::to_string(server.port()) + more + "}";
}

Answer endless(const std::string& begin, const std::string& piece) {
  Answer answer(begin);
  answer.endless = piece;
  return answer;
}

/// A server whose answers in one place do not end.
Script endless_in(Place place, const std::string& begin, const std::string& piece) {
  return polite([=](Place at, const Command&) -> std::optional<Answer> {
    if (at != place) return std::nullopt;
    return endless(begin, piece);
  });
}

struct Endless {
  const char* name;
  std::string begin, piece;
};

std::vector<Endless> endless_answers() {
  const std::string much(64 << 10, 'x');
  std::string numbers;
  for (int i = 0; i < 10'000; ++i) numbers += ":1\r\n";
  return {{"bulk", "$1000000000\r\n", much},
          {"line", "+", much},
          {"length", "$", std::string(64 << 10, '1')},
          {"array", "*2147483647\r\n", numbers},
          {"nested array", "*1\r\n*2\r\n*2147483647\r\n", numbers}};
}

Outcome ping(SessionPtr& session, milliseconds patience) {
  return test::outcome_of(
      [&](swapmq_error* e) { return test::plugin().ping(session.session, test::in(patience), e); });
}

// ---- without end --------------------------------------------------------------------------------

TEST(Endless, AnAnswerToAPublishEndsAtTheDeadline) {
  for (const Endless& one : endless_answers()) {
    SCOPED_TRACE(one.name);
    const FakeServer server(endless_in(Place::xadd, one.begin, one.piece));
    const OpenedBackend opened(options(server));
    SessionPtr session(opened, SWAPMQ_ROLE_PUBLISH);
    const auto began = Clock::now();
    const Published published =
        session.publish(session.queue("q"), {{.id = "m", .body = "b"}}, milliseconds(300));
    EXPECT_LT(Clock::now() - began, milliseconds(300) + kLate);
    EXPECT_TRUE(published.all(SWAPMQ_PUBLISH_IN_DOUBT));
  }
}

TEST(Endless, AnAnswerToPingEndsAtTheDeadline) {
  for (const Endless& one : endless_answers()) {
    SCOPED_TRACE(one.name);
    const FakeServer server(endless_in(Place::ping, one.begin, one.piece));
    const OpenedBackend opened(options(server));
    SessionPtr session(opened);
    const auto began = Clock::now();
    EXPECT_FALSE(ping(session, milliseconds(300)).ok());
    EXPECT_LT(Clock::now() - began, milliseconds(300) + kLate);
  }
}

TEST(Endless, AReadEndsAtTheDeadline) {
  for (const Endless& one : endless_answers()) {
    SCOPED_TRACE(one.name);
    const FakeServer server(endless_in(Place::xreadgroup, one.begin, one.piece));
    const OpenedBackend opened(options(server));
    SessionPtr session(opened);
    swapmq_subscription* subscription = session.subscribe(session.queue("q"));
    for (int i = 0; i < 2; ++i) {
      const auto began = Clock::now();
      EXPECT_EQ(session.exchange(subscription, {}, 10, milliseconds(200)).batch.size(), 0U);
      EXPECT_LT(Clock::now() - began, milliseconds(200) + kGrace + kLate);
    }
  }
}

TEST(Endless, ALineIsRefusedLongBeforeTheDeadline) {
  const FakeServer server(endless_in(Place::ping, "-ERR ", std::string(64 << 10, 'x')));
  const OpenedBackend opened(options(server));
  SessionPtr session(opened);
  const auto began = Clock::now();
  const Outcome outcome = ping(session, milliseconds(60'000));
  EXPECT_LT(Clock::now() - began, milliseconds(10'000));
  EXPECT_NE(outcome.text.find("a line without an end"), std::string::npos) << outcome;
}

/// What this process has used of memory at most, in bytes.
std::size_t peak_memory() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

TEST(Endless, WhereLittleIsDueLittleIsTaken) {
  const std::size_t before = peak_memory();
  for (const Endless& one : endless_answers()) {
    SCOPED_TRACE(one.name);
    const FakeServer server(endless_in(Place::script_stats, one.begin, one.piece));
    const OpenedBackend opened(options(server));
    SessionPtr session(opened);
    swapmq_queue* queue = session.queue("q");
    swapmq_queue_stats stats{};
    stats.struct_size = sizeof stats;
    const auto began = Clock::now();
    const Outcome outcome = test::outcome_of([&](swapmq_error* e) {
      return test::plugin().queue_stats(session.session, queue, &stats,
                                        test::in(milliseconds(100'000)), e);
    });
    EXPECT_EQ(outcome.status, SWAPMQ_UNAVAILABLE) << outcome;
    EXPECT_LT(Clock::now() - began, milliseconds(10'000));
  }
  EXPECT_LT(peak_memory() - before, std::size_t{100} << 20);
}

TEST(Endless, AReadTakesNoMoreThanItsBoundOfMemory) {
  const std::string much(1 << 20, 'x');
  const FakeServer server(
      polite([&, asked = 0](Place at, const Command&) mutable -> std::optional<Answer> {
        if (at != Place::xreadgroup || asked++ > 0) return std::nullopt;
        return endless("$2000000000\r\n", much);
      }));
  const OpenedBackend opened(options(server));
  SessionPtr session(opened);
  const std::size_t before = peak_memory();
  // The next one, of a new connection, has an end.
  EXPECT_EQ(session.receive(session.subscribe(session.queue("q")), 10, milliseconds(60'000)).size(),
            1U);
  EXPECT_EQ(server.accepted(), 3U);
  EXPECT_LT(peak_memory() - before, std::size_t{1200} << 20);
}

TEST(Endless, AListOfQueuesEndsAtTheDeadline) {
  const FakeServer server(polite([](Place at, const Command&) -> std::optional<Answer> {
    if (at != Place::scan) return std::nullopt;
    return Answer("*2\r\n$1\r\n7\r\n*1\r\n$1\r\nq\r\n"); // there is always more
  }));
  const OpenedBackend opened(options(server));
  SessionPtr session(opened, SWAPMQ_ROLE_ADMIN);
  const auto* lists = static_cast<const swapmq_list_queues*>(
      test::plugin().extension(SWAPMQ_EXTENSION_LIST_QUEUES));
  const auto began = Clock::now();
  const Outcome outcome = test::outcome_of([&](swapmq_error* e) {
    return lists->list(
        session.session, [](void*, swapmq_bytes) {}, nullptr, test::in(milliseconds(200)), e);
  });
  EXPECT_EQ(outcome.status, SWAPMQ_TIMEOUT) << outcome;
  EXPECT_LT(Clock::now() - began, milliseconds(200) + kLate);
}

// ---- what nobody asked for ----------------------------------------------------------------------

TEST(Unasked, AnAnswerTooManyIsNotThatOfTheNextPublish) {
  std::atomic<bool> full{false};
  const FakeServer server(polite([&](Place at, const Command&) -> std::optional<Answer> {
    if (at != Place::xadd) return std::nullopt;
    if (full) return Answer("-OOM command not allowed\r\n");
    return Answer("$15\r\n1700000000000-1\r\n$15\r\n1700000000000-2\r\n");
  }));
  const OpenedBackend opened(options(server));
  SessionPtr session(opened, SWAPMQ_ROLE_PUBLISH);
  swapmq_queue* queue = session.queue("q");
  EXPECT_TRUE(session.publish_ids(queue, {"a"}).confirmed());
  full = true;
  EXPECT_TRUE(session.publish_ids(queue, {"b"}).all(SWAPMQ_PUBLISH_FAILED));
}

TEST(Unasked, WhatCameWhileIdleIsNotTheAnswerToTheNextPublish) {
  std::atomic<bool> full{false};
  FakeServer server(polite([&](Place at, const Command&) -> std::optional<Answer> {
    if (at != Place::xadd || !full) return std::nullopt;
    return Answer("-OOM command not allowed\r\n");
  }));
  const OpenedBackend opened(options(server));
  SessionPtr session(opened, SWAPMQ_ROLE_PUBLISH);
  swapmq_queue* queue = session.queue("q");
  EXPECT_TRUE(session.publish_ids(queue, {"a"}).confirmed());
  const auto answered = Clock::now();
  const uint64_t sent = server.sent();
  server.say("$15\r\n1700000000000-9\r\n");
  ASSERT_TRUE(await([&] { return server.sent() > sent; }));
  // One that was used so shortly ago is not looked at.
  ASSERT_TRUE(await([&] { return Clock::now() - answered > milliseconds(60); }));
  full = true;
  EXPECT_TRUE(session.publish_ids(queue, {"b"}).all(SWAPMQ_PUBLISH_FAILED));
  EXPECT_EQ(server.accepted(), 2U);
}

TEST(Unasked, AnAnswerBeforeTheCommandIsSentConfirmsNothing) {
  // Two answers to the first XADD of many: the second of them is there before the last is sent.
  std::atomic<int> asked{0};
  const FakeServer server(polite([&](Place at, const Command&) -> std::optional<Answer> {
    if (at != Place::xadd) return std::nullopt;
    std::string many;
    if (++asked == 1) {
      for (int i = 0; i < 5000; ++i) many += "$15\r\n1700000000000-1\r\n";
    }
    return Answer(many);
  }));
  const OpenedBackend opened(options(server));
  SessionPtr session(opened, SWAPMQ_ROLE_PUBLISH);
  std::vector<test::Text> texts(5000);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    texts[i].id = "m" + std::to_string(i);
    texts[i].body = std::string(1000, 'b');
  }
  const Published published = session.publish(session.queue("q"), texts, milliseconds(500));
  EXPECT_FALSE(published.outcome.ok());
  const auto confirmed = static_cast<std::size_t>(std::count_if(
      published.results.begin(), published.results.end(), [](const swapmq_publish_result& result) {
        return result.outcome == SWAPMQ_PUBLISH_CONFIRMED;
      }));
  EXPECT_LT(confirmed, texts.size());
}

// ---- again and again ----------------------------------------------------------------------------

TEST(Broken, AReaderThatIsBrokenEachTimeIsNotMadeAnewWithoutAPause) {
  const FakeServer server(polite([](Place at, const Command&) -> std::optional<Answer> {
    if (at != Place::xreadgroup) return std::nullopt;
    return Answer("+HMM\r\n");
  }));
  const OpenedBackend opened(options(server));
  SessionPtr session(opened);
  swapmq_subscription* subscription = session.subscribe(session.queue("q"));
  session.exchange(subscription, {}, 10, milliseconds(1000));
  EXPECT_GE(server.accepted(), 3U); // it does try again
  EXPECT_LE(server.accepted(), 20U);
}

TEST(Broken, AReadThatFailedIsTriedForFewer) {
  // As with entries that are together beyond the bound of a reply.
  const FakeServer server(polite([](Place at, const Command& command) -> std::optional<Answer> {
    if (at != Place::xreadgroup) return std::nullopt;
    const int count = std::stoi(command.at(5));
    if (count <= 50) return std::nullopt;
    return Answer("*1\r\n", true);
  }));
  const OpenedBackend opened(options(server, ",\"retry_delay_seconds\":0.001"));
  SessionPtr session(opened);
  swapmq_subscription* subscription = session.subscribe(session.queue("q"), 5000);
  EXPECT_EQ(session.receive(subscription, 5000, milliseconds(10'000)).size(), 1U);
}

TEST(Broken, ATakeThatFailedIsTriedForFewer) {
  // As above, with entries that came back.
  const FakeServer server(polite([](Place at, const Command& command) -> std::optional<Answer> {
    if (at != Place::script_take) return std::nullopt;
    const int count = std::stoi(command.at(11));
    if (count <= 4) return std::nullopt;
    return Answer("*6\r\n:-1\r\n", true);
  }));
  const OpenedBackend opened(options(server, ",\"retry_delay_seconds\":0.001"));
  SessionPtr session(opened);
  swapmq_subscription* subscription = session.subscribe(session.queue("q"), 5000);
  std::size_t got = 0;
  for (int i = 0; i < 10 && got == 0; ++i) {
    got = session.exchange(subscription, {}, 5000, milliseconds(1000)).batch.size();
  }
  EXPECT_EQ(got, 1U);
}

// ---- slowly -------------------------------------------------------------------------------------

TEST(Slow, AReadThatGoesOnIsNotSilence) {
  std::atomic<bool> reading{false};
  FakeServer server(polite([&](Place at, const Command&) -> std::optional<Answer> {
    if (at != Place::xreadgroup) return std::nullopt;
    reading = true;
    return Answer("*1\r\n*2\r\n$1\r\nq\r\n");
  }));
  const OpenedBackend opened(options(server, ",\"connection_timeout_seconds\":0.2"));
  SessionPtr session(opened);
  swapmq_subscription* subscription = session.subscribe(session.queue("q"));
  // A read that blocks at the server does so for 2 s: its answer is due 0.2 s later.
  session.exchange(subscription, {}, 10, milliseconds(80));
  ASSERT_TRUE(reading);
  const std::string rest = "*1\r\n*2\r\n$3\r\n1-1\r\n*2\r\n$4\r\ndata\r\n$1\r\nx\r\n";
  std::size_t got = 0;
  const auto began = Clock::now();
  for (std::size_t at = 0; at < rest.size(); at += 4) {
    server.say_to("XREADGROUP", rest.substr(at, 4));
    got += session.receive(subscription, 10, milliseconds(300)).size();
  }
  EXPECT_GT(Clock::now() - began, milliseconds(2200)) << "it was no test";
  EXPECT_EQ(got, 1U);
  EXPECT_EQ(server.accepted(), 2U) << "it was connected anew";
}

TEST(Slow, AReadThatStopsHalfwayDoesNotHoldUpAcks) {
  std::atomic<int> reads{0};
  const FakeServer server(polite([&](Place at, const Command&) -> std::optional<Answer> {
    if (at != Place::xreadgroup || ++reads != 2) return std::nullopt;
    return Answer("*1\r\n*2\r\n$1\r\nq\r\n");
  }));
  const OpenedBackend opened(
      options(server, ",\"connection_timeout_seconds\":0.2,\"block_ms\":100"));
  SessionPtr session(opened);
  swapmq_subscription* subscription = session.subscribe(session.queue("q"));
  const test::BatchPtr batch = session.receive(subscription, 1, milliseconds(5000));
  ASSERT_EQ(batch.size(), 1U);
  session.exchange(subscription, {}, 10, milliseconds(80)); // begins the read
  const auto began = Clock::now();
  const Exchanged settled = session.exchange(
      subscription, {test::settlement(batch[0], SWAPMQ_SETTLE_ACK)}, 10, milliseconds(5000));
  EXPECT_LT(Clock::now() - began, milliseconds(3000));
  EXPECT_EQ(settled.statuses.at(0), SWAPMQ_OK);
  EXPECT_EQ(settled.batch.size(), 1U) << "by another connection";
  EXPECT_EQ(reads, 3);
}

// ---- extremes of what entries hold --------------------------------------------------------------

TEST(Extreme, ACountOfDeliveriesDoesNotBeginAnew) {
  const FakeServer server(polite([](Place at, const Command&) -> std::optional<Answer> {
    if (at != Place::xreadgroup) return std::nullopt;
    return Answer(entries("1-1", {"data", "x", "retry_count", "4294967295"}));
  }));
  const OpenedBackend opened(options(server));
  SessionPtr session(opened);
  const test::BatchPtr batch =
      session.receive(session.subscribe(session.queue("q")), 1, milliseconds(10'000));
  ASSERT_EQ(batch.size(), 1U);
  EXPECT_EQ(batch[0].delivery_count, UINT32_MAX);
}

} // namespace
} // namespace swapmq::live
