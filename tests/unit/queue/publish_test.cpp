// SPDX-License-Identifier: MIT
//
// The three ways in which a publish ends, and the retries before that.
#include <set>

#include "support.h"

namespace {

using namespace test;
using swapmq::Errc;
using swapmq::Message;
using swapmq::Outcome;

TEST(Publish, ConfirmsAndGivesTheMessageAnId) {
  auto mq = open_memory();
  const auto sent = mq.publish("tasks", "one");
  EXPECT_TRUE(sent);
  EXPECT_EQ(sent.outcome(), Outcome::confirmed);
  EXPECT_EQ(sent.id().size(), 36U);
  EXPECT_EQ(sent.error().code(), Errc::ok);
  EXPECT_EQ(*mq.size("tasks"), 1U);
}

TEST(Publish, BringsEverythingBackAsItWas) {
  auto mq = open_memory();
  const std::string id("i\0d", 3);
  const std::string body("b\0\xff", 3);
  const std::string value("v\0\x80", 3);
  const swapmq::Header headers[] = {{"name", value}, {"empty", ""}};
  Message message;
  message.id = id;
  message.body = body;
  message.headers = headers;
  message.priority = 7;
  message.ordering_key = "key";
  message.correlation_id = "correlation";
  message.reply_to = "reply";
  message.content_type = "text/plain";
  const auto before = std::chrono::system_clock::now();
  EXPECT_EQ(mq.publish("tasks", message).id(), id);

  auto subscription = mq.subscribe("tasks");
  auto got = subscription->receive(10, 5s);
  ASSERT_EQ(got->size(), 1U);
  const swapmq::Delivery& delivery = (*got)[0];
  EXPECT_EQ(delivery.id(), id);
  EXPECT_EQ(delivery.body(), body);
  ASSERT_EQ(delivery.headers().size(), 2U);
  EXPECT_EQ(delivery.header("name"), value);
  EXPECT_EQ(delivery.header("empty"), "");
  EXPECT_EQ(delivery.header("none"), std::nullopt);
  EXPECT_EQ(delivery.priority(), 7U);
  EXPECT_EQ(delivery.ordering_key(), "key");
  EXPECT_EQ(delivery.correlation_id(), "correlation");
  EXPECT_EQ(delivery.reply_to(), "reply");
  EXPECT_EQ(delivery.content_type(), "text/plain");
  EXPECT_EQ(delivery.queue(), "tasks");
  EXPECT_EQ(delivery.delivery_count(), 1U);
  EXPECT_FALSE(delivery.redelivered());
  EXPECT_LE(std::chrono::abs(delivery.timestamp() - before), 5s);
}

TEST(Publish, ManyKeepTheirOrderAndGetOneResultEach) {
  auto mq = open_memory();
  std::vector<std::string> bodies;
  for (int i = 0; i < 10'000; ++i) bodies.push_back(std::to_string(i));
  std::vector<Message> messages(bodies.size());
  for (std::size_t i = 0; i < bodies.size(); ++i) messages[i].body = bodies[i];
  const auto sent = mq.publish_many("tasks", messages);
  ASSERT_EQ(sent.size(), messages.size());
  std::set<std::string> ids;
  for (const auto& one : sent) {
    EXPECT_TRUE(one);
    ids.emplace(one.id());
  }
  EXPECT_EQ(ids.size(), messages.size());

  Seen seen;
  auto consumer = mq.consume("tasks", {}, [&](const swapmq::Delivery& d) {
    seen.add(d.body());
    return swapmq::ack();
  });
  ASSERT_TRUE(eventually([&] { return seen.size() == bodies.size(); }));
  EXPECT_EQ(seen.all(), bodies);
}

TEST(Publish, OneBadMessageDoesNotHoldUpTheOthers) {
  auto mq = open_memory();
  const std::string long_id(256, 'x');
  Message messages[3];
  messages[0].body = "first";
  messages[1].body = "bad";
  messages[1].id = long_id;
  messages[2].body = "third";
  const auto sent = mq.publish_many("tasks", messages);
  EXPECT_TRUE(sent[0]);
  EXPECT_EQ(sent[1].outcome(), Outcome::failed);
  EXPECT_EQ(sent[1].error().code(), Errc::invalid_argument);
  EXPECT_TRUE(sent[2]);
  EXPECT_EQ(*mq.size("tasks"), 2U);
}

TEST(Publish, RefusesWhatTheBackendCannotKeep) {
  auto mq = open_scripted();
  Message delayed{.body = "x", .delay = 1s};
  EXPECT_EQ(mq.publish("tasks", delayed).error().code(), Errc::not_supported);
  Message urgent{.body = "x", .priority = 1};
  EXPECT_EQ(mq.publish("tasks", urgent).error().code(), Errc::not_supported);
  Message wrong{.body = "x", .priority = 10};
  EXPECT_EQ(mq.publish("tasks", wrong).error().code(), Errc::invalid_argument);
  EXPECT_EQ(metric(mq, "swapmq_published_total", {{"outcome", "failed"}}), 3);
}

TEST(Publish, RefusesImpossibleQueueNames) {
  auto mq = open_memory();
  const std::string longest(255, 'q');
  EXPECT_TRUE(mq.publish(longest, "x"));
  for (const std::string& name :
       {std::string(), std::string(256, 'q'), std::string("a\nb"), std::string("a\0b", 3)}) {
    const auto sent = mq.publish(name, "x");
    EXPECT_EQ(sent.outcome(), Outcome::failed);
    EXPECT_EQ(sent.error().code(), Errc::invalid_argument);
    EXPECT_EQ(mq.create_queue(name).code(), Errc::invalid_argument);
    EXPECT_EQ(mq.subscribe(name).error().code(), Errc::invalid_argument);
  }
  for (const char* name : {"a/b", "..", "with space", "\xc3\xa9"}) {
    EXPECT_TRUE(mq.publish(name, "x")) << name;
  }
}

TEST(Publish, RetriesWhatCanBeRetried) {
  auto mq = open_scripted();
  EXPECT_EQ(mq.publish("flaky-3", "x").outcome(), Outcome::confirmed);
  EXPECT_EQ(metric(mq, "swapmq_plugin_events_total", {{"event", "publish_calls"}}), 4);
  EXPECT_EQ(metric(mq, "swapmq_publish_retries_total"), 3);
}

TEST(Publish, DoesNotRetryWhatIsRefused) {
  auto mq = open_scripted();
  const auto sent = mq.publish("refused", "x");
  EXPECT_EQ(sent.outcome(), Outcome::failed);
  EXPECT_EQ(sent.error().code(), Errc::access_denied);
  EXPECT_EQ(metric(mq, "swapmq_plugin_events_total", {{"event", "publish_calls"}}), 1);
}

TEST(Publish, FailsAtTheDeadlineWhileTheBrokerIsDown) {
  auto mq = open_scripted();
  const auto before = std::chrono::steady_clock::now();
  const auto sent = mq.publish("down", "x", {.timeout = 200ms});
  const auto took = std::chrono::steady_clock::now() - before;
  EXPECT_EQ(sent.outcome(), Outcome::failed);
  EXPECT_EQ(sent.error().code(), Errc::unavailable);
  EXPECT_NE(sent.error().message().find("nobody answers"), std::string::npos);
  EXPECT_GE(took, 150ms);
  EXPECT_LE(took, 3s);
}

TEST(Publish, OnlyAConfirmEndsADoubt) {
  auto mq = open_scripted();
  // In doubt at first, confirmed by a retry with the same id: confirmed, stored twice.
  EXPECT_EQ(mq.publish("doubt-1", "x").outcome(), Outcome::confirmed);
  EXPECT_EQ(*mq.size("doubt-1"), 2U);
  // In doubt until the deadline.
  EXPECT_EQ(mq.publish("limbo", "x", {.timeout = 100ms}).outcome(), Outcome::in_doubt);
  EXPECT_EQ(metric(mq, "swapmq_published_total", {{"outcome", "in_doubt"}}), 1);
}

TEST(Publish, AnAttemptThatTheDeadlineCutDoesNotHideWhatTheOneBeforeSaid) {
  auto mq = open_scripted();
  const auto sent = mq.publish("silenced-1", "x", {.timeout = 300ms});
  EXPECT_EQ(sent.outcome(), Outcome::failed);
  EXPECT_EQ(sent.error().code(), swapmq::Errc::unavailable);
  EXPECT_NE(sent.error().message().find("nobody answers"), std::string::npos);
  // Where there is no other, it says what it can.
  EXPECT_EQ(mq.publish("silenced-0", "x", {.timeout = 300ms}).error().code(),
            swapmq::Errc::timeout);
}

TEST(Publish, ARetryCarriesTheSameId) {
  auto mq = open_scripted();
  const auto sent = mq.publish("doubt-2", "x");
  ASSERT_TRUE(sent);
  auto subscription = mq.subscribe("doubt-2");
  std::vector<std::string> ids;
  while (ids.size() < 3) {
    auto got = subscription->receive(10, 5s);
    ASSERT_FALSE(got->empty());
    for (const auto& delivery : *got) {
      ids.emplace_back(delivery.id());
      delivery.ack();
    }
  }
  EXPECT_EQ(ids, std::vector<std::string>(3, std::string(sent.id())));
}

TEST(Publish, AsyncToAFullQueueKeepsTryingAndHoldsUpNoOther) {
  auto mq = open_memory("", R"({"full":{"max_length":1}})");
  ASSERT_TRUE(mq.publish("full", "first"));
  std::atomic<int> full_ended{0};
  std::atomic<int> others{0};
  mq.publish_async("full", {.body = "second"}, [&](const swapmq::Sent& sent) {
    EXPECT_TRUE(sent) << sent.error().message();
    ++full_ended;
  });
  ASSERT_TRUE(eventually([&] {
    return metric(mq, "swapmq_publish_retries_total", {{"queue", "full"}}) >= 2;
  }));
  for (int i = 0; i < 100; ++i) {
    mq.publish_async("other" + std::to_string(i % 7), {.body = "x"},
                     [&](const swapmq::Sent& sent) { others += sent ? 1 : 0; });
  }
  EXPECT_TRUE(eventually([&] { return others == 100; }));
  EXPECT_EQ(full_ended, 0);
  EXPECT_EQ(*mq.purge("full"), 1U);
  EXPECT_TRUE(eventually([&] { return full_ended == 1; }));
  EXPECT_EQ(*mq.size("full"), 1U);
}

TEST(Publish, AsyncCopiesTheMessageAndCompletesOnce) {
  auto mq = open_memory();
  std::atomic<int> confirmed{0};
  constexpr int count = 20'000;
  for (int i = 0; i < count; ++i) {
    const std::string body = "body " + std::to_string(i); // gone before it is sent
    Message message;
    message.body = body;
    mq.publish_async("tasks", message,
                     [&](const swapmq::Sent& sent) { confirmed += sent ? 1 : 0; });
  }
  ASSERT_TRUE(eventually([&] { return confirmed == count; }));
  Seen seen;
  auto consumer = mq.consume("tasks", {}, [&](const swapmq::Delivery& d) {
    seen.add(d.body());
    return swapmq::ack();
  });
  ASSERT_TRUE(eventually([&] { return seen.size() == count; }));
  const auto bodies = seen.all();
  for (int i = 0; i < count; ++i)
    ASSERT_EQ(bodies[static_cast<std::size_t>(i)], "body " + std::to_string(i));
}

TEST(Publish, ForEverIsALongTime) {
  constexpr auto for_ever = std::chrono::milliseconds::max();
  auto mq = open_memory();
  EXPECT_TRUE(mq.publish("tasks", {.body = "kept", .ttl = for_ever}, {.timeout = for_ever}));
  EXPECT_TRUE(mq.publish("tasks", {.body = "later", .delay = for_ever}));
  auto subscription = mq.subscribe("tasks", {.ack_timeout = for_ever});
  const auto got = subscription->receive(10, for_ever);
  ASSERT_EQ(got->size(), 1U);
  EXPECT_EQ((*got)[0].body(), "kept");
  EXPECT_EQ((*got)[0].ack(), swapmq::Settling::accepted);
  EXPECT_FALSE((*got)[0].wait_settled(for_ever));
  EXPECT_EQ(mq.stats("tasks", for_ever)->delayed, 1U);
  EXPECT_FALSE(mq.close(for_ever));
}

TEST(Publish, EachMessageHasAnErrorOfItsOwn) {
  auto mq = open_scripted();
  const std::vector<Message> messages{{.body = "x", .priority = 10}, {.body = "x", .delay = -1ms}};
  const auto sent = mq.publish_many("tasks", messages);
  EXPECT_EQ(sent[0].error().message(), "a priority is above 9");
  EXPECT_EQ(sent[1].error().message(), "a delay or ttl is negative");
  EXPECT_FALSE(sent[0].error().retryable());
  EXPECT_TRUE(mq.publish("down", "x", {.timeout = 50ms}).error().retryable());
  EXPECT_FALSE(mq.publish("refused", "x").error().retryable());
}

TEST(Publish, AsyncToASlowQueueHoldsUpNoOther) {
  auto mq = open_scripted();
  std::atomic<int> slow{0};
  std::atomic<int> quick{0};
  mq.publish_async("slow-3000", {.body = "x"}, [&](const swapmq::Sent&) { ++slow; });
  ASSERT_TRUE(eventually([&] {
    return metric(mq, "swapmq_plugin_events_total", {{"event", "publish_calls"}}) == 1;
  }));
  for (int i = 0; i < 20; ++i) {
    mq.publish_async("quick", {.body = "x"},
                     [&](const swapmq::Sent& sent) { quick += sent ? 1 : 0; }, {.timeout = 2s});
  }
  EXPECT_TRUE(eventually([&] { return quick == 20; }));
  EXPECT_EQ(slow, 0);
  EXPECT_FALSE(mq.close(10s));
  EXPECT_EQ(slow, 1);
}

} // namespace
