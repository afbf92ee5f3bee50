// SPDX-License-Identifier: MIT
//
// Full is a failed publish that may be retried, and never a loss.
#include "support.hpp"

namespace swapmq::memory::test {
namespace {

using Ids = std::vector<std::string>;

std::vector<Draft> drafts_of(const Ids& ids) {
  std::vector<Draft> drafts;
  for (const auto& id : ids) drafts.push_back(draft(id));
  return drafts;
}

void expect_full(const swapmq_publish_result& result) {
  EXPECT_EQ(result.outcome, SWAPMQ_PUBLISH_FAILED);
  EXPECT_EQ(result.status, SWAPMQ_RESOURCE_EXHAUSTED);
  EXPECT_EQ(result.flags, SWAPMQ_ERROR_RETRYABLE);
}

TEST(Bounds, MaxMessagesIsPerQueueAndCountsAllThatIsStored) {
  const Backend backend = Backend::own(R"(,"max_messages":3)");
  Session session(backend);
  swapmq_queue* queue = session.queue("q");
  swapmq_subscription* subscription = session.subscribe(queue);
  Draft delayed = draft("delayed");
  delayed.due_at_ms = backend::unix_now_ms() + 3'600'000;
  session.put(queue, std::vector{delayed});
  session.put(queue, Ids{"a", "b"});
  const Deliveries got = session.receive(subscription, 1);
  expect_full(session.publish(queue, {draft("c")})[0]);
  session.put(session.queue("other"), Ids{"1", "2", "3"});
  EXPECT_EQ(session.ack(subscription, got[0]), SWAPMQ_OK);
  session.put(queue, Ids{"c"});
}

TEST(Bounds, AfterTheFirstThatDoesNotFitTheRestFailsSoThatARetryKeepsTheOrder) {
  const Backend backend = Backend::own(R"(,"max_messages":2)");
  Session session(backend);
  swapmq_queue* queue = session.queue("q");
  const auto results = session.publish(queue, drafts_of({"a", "b", "c", "d"}));
  EXPECT_EQ(results[1].outcome, SWAPMQ_PUBLISH_CONFIRMED);
  expect_full(results[2]);
  expect_full(results[3]);
  EXPECT_EQ(session.drain(session.subscribe(queue), 2), (Ids{"a", "b"}));
}

TEST(Bounds, MaxLengthOfTheSpecHolds) {
  const Backend backend = Backend::own();
  Session session(backend);
  swapmq_queue* queue = session.queue("q", 2);
  const auto results = session.publish(queue, drafts_of({"a", "b", "c"}));
  EXPECT_EQ(results[1].outcome, SWAPMQ_PUBLISH_CONFIRMED);
  expect_full(results[2]);
}

TEST(Bounds, MaxBytesIsOfTheWholeStore) {
  const Backend backend = Backend::own(R"(,"max_bytes":65536)");
  Session session(backend);
  swapmq_queue* one = session.queue("one");
  swapmq_queue* other = session.queue("other");
  Draft large = draft("large");
  large.body = std::string(40000, 'x');
  session.put(one, std::vector{large});
  const auto results = session.publish(other, {draft("small"), large, draft("small")});
  EXPECT_EQ(results[0].outcome, SWAPMQ_PUBLISH_CONFIRMED);
  expect_full(results[1]);
  expect_full(results[2]); // it would fit, but before the one that failed
  EXPECT_EQ(session.drain(session.subscribe(one), 1), Ids{"large"});
  session.put(other, std::vector{large});
}

TEST(Bounds, BytesComeBackWhateverEndsAMessage) {
  const Backend backend = Backend::own(R"(,"max_bytes":65536)");
  Session session(backend);
  swapmq_queue* queue = session.queue("q");
  Draft large = draft("large");
  large.body = std::string(60000, 'x');
  for (int round = 0; round < 3; ++round) {
    session.put(queue, std::vector{large});
    session.drain(session.subscribe(queue), 1);
    session.put(queue, std::vector{large});
    EXPECT_EQ(session.purge(queue), 1U);
    session.put(queue, std::vector{large});
    session.remove(queue);
    session.put(queue, std::vector{large});
    Deliveries held = session.receive(session.subscribe(queue), 1);
    session.remove(queue);
    EXPECT_EQ(held.size(), 1U);
  }
}

TEST(Bounds, ExpiredMessagesOfAQuietQueueMakeRoom) {
  const Backend backend = Backend::own(R"(,"max_bytes":65536)");
  Session session(backend);
  Draft fleeting = draft("fleeting");
  fleeting.body = std::string(60000, 'x');
  fleeting.expires_at_ms = backend::unix_now_ms() + 30;
  session.put(session.queue("quiet"), std::vector{fleeting});
  swapmq_queue* queue = session.queue("q");
  Draft large = draft("large");
  large.body = fleeting.body;
  const int64_t patience = after(kPatience);
  while (session.publish(queue, {large})[0].outcome != SWAPMQ_PUBLISH_CONFIRMED) {
    ASSERT_LT(after(0ns), patience);
  }
  EXPECT_GE(backend::unix_now_ms(), fleeting.expires_at_ms);
}

TEST(Bounds, WhatCanNeverFitIsTooLargeAndHoldsUpNobody) {
  const Backend backend = Backend::own(R"(,"max_bytes":65536)");
  Session session(backend);
  swapmq_queue* queue = session.queue("q");
  Draft huge = draft("huge");
  huge.body = std::string(65536, 'x');
  const auto results = session.publish(queue, {draft("a"), huge, draft("b")});
  EXPECT_EQ(results[1].outcome, SWAPMQ_PUBLISH_FAILED);
  EXPECT_EQ(results[1].status, SWAPMQ_TOO_LARGE);
  EXPECT_EQ(results[1].flags, 0U);
  EXPECT_EQ(session.drain(session.subscribe(queue), 2), (Ids{"a", "b"}));
}

TEST(Bounds, NamesOfQueues) {
  const Backend backend = Backend::own();
  Session session(backend);
  const auto open = [&](std::string_view name) {
    swapmq_queue* queue = nullptr;
    Error error;
    return vtable().queue_open(session.get(), backend::bytes(name), nullptr, &queue, &error);
  };
  EXPECT_EQ(open(std::string(255, 'q')), SWAPMQ_OK);
  EXPECT_EQ(open("../\xff \n"), SWAPMQ_OK);
  EXPECT_EQ(open(std::string(256, 'q')), SWAPMQ_INVALID_ARGUMENT);
  EXPECT_EQ(open(std::string_view("a\0b", 3)), SWAPMQ_INVALID_ARGUMENT);
  EXPECT_EQ(open(""), SWAPMQ_INVALID_ARGUMENT);
}

} // namespace
} // namespace swapmq::memory::test
