// SPDX-License-Identifier: MIT
//
// A message queue that turns from one side to another: publishes follow the route, deliveries are
// settled where they came from, and handlers never run more often at once than was asked for.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>

#include "config/check.h"
#include "config/config.h"
#include "plugin/plugin.h"
#include "queue/handler_slots.h"
#include "queue/runtime.h"
#include "support.h"

namespace {

using namespace test;
using std::chrono::steady_clock;
using swapmq::ConsumeOptions;
using swapmq::Decision;
using swapmq::Delivery;
using swapmq::Message;
using swapmq::Outcome;
using swapmq::Sent;
using swapmq::detail::ConsumerState;
using swapmq::detail::Runtime;
using swapmq::queue::HandlerSlots;
using swapmq::queue::Log;
using swapmq::queue::PublishRequest;
using swapmq::queue::Side;
using swapmq::queue::SideSetup;

std::string unique_name() {
  static std::atomic<int> number{0};
  return "sides-" + std::to_string(getpid()) + "-" + std::to_string(number++);
}

/// A side of its own beside those of the runtime.
std::shared_ptr<Side> open_side(const std::string& path, const std::string& options) {
  SideSetup setup;
  setup.name = "another";
  setup.plugin = swapmq::plugin::Plugin::load({path, {}, {}, true}).value();
  setup.options_json = options;
  setup.instance = "another";
  setup.connection_timeout = 5s;
  return Side::open(setup, Log::open("off", "").value(),
                    std::make_shared<swapmq::metrics::Registry>())
      .value();
}

std::shared_ptr<Side> open_memory_side() {
  return open_side(SWAPMQ_TEST_MEMORY_BACKEND, R"({"name":")" + unique_name() + R"("})");
}

std::shared_ptr<Runtime> open_runtime(const std::string& message_queue) {
  auto parsed =
      swapmq::config::parse(R"({"message_queue":)" + message_queue + R"(,"plugin_path":[")" +
                                TEST_BACKENDS + R"("],"log":{"level":"off"}})",
                            "test", swapmq::config::plugin_schemas());
  return Runtime::open(std::move(parsed.config.value())).value();
}

std::shared_ptr<Runtime> open_memory_runtime() {
  return open_runtime(R"({"type":"memory","memory":{"name":")" + unique_name() + R"("}})");
}

std::shared_ptr<Runtime> open_scripted_runtime() { return open_runtime(R"({"type":"scripted"})"); }

/// As a switch does it.
void turn_to(Runtime& runtime, const std::shared_ptr<Side>& side) {
  runtime.use(side);
  runtime.consume_from(side);
  runtime.publish_to(side);
}

Sent publish(Runtime& runtime, const std::string& queue, std::string_view body,
             std::chrono::milliseconds timeout = 10s) {
  const Message message{.body = body};
  PublishRequest request({&message, 1}, timeout);
  runtime.publisher(queue).value()->publish(request);
  return request.sent(0);
}

swapmq_queue_stats stats(Side& side, const std::string& queue) {
  auto session = side.admin_sessions().acquire(steady_clock::now() + 5s);
  swapmq_queue_spec spec{};
  spec.struct_size = sizeof spec;
  return (*session)
      ->queue_stats((*session)->queue(queue, spec).value(), steady_clock::now() + 5s)
      .value();
}

double published(const Side& side, const std::string& queue) {
  return static_cast<double>(side.metrics().queue(queue).confirmed.value());
}

/// How many run at once, and how many ever did.
class AtOnce {
 public:
  class Here {
   public:
    explicit Here(AtOnce& counter) : counter_(counter) {
      const int now = ++counter_.now_;
      int most = counter_.most_;
      while (most < now && !counter_.most_.compare_exchange_weak(most, now)) {
      }
    }
    ~Here() { --counter_.now_; }

   private:
    AtOnce& counter_;
  };
  int most() const { return most_; }

 private:
  std::atomic<int> now_{0}, most_{0};
};

TEST(Sides, PublishesFollowTheRouteAndAreCountedWhereTheyEnd) {
  auto runtime = open_memory_runtime();
  const auto first = runtime->side();
  const auto second = open_memory_side();
  EXPECT_TRUE(publish(*runtime, "tasks", "one"));
  turn_to(*runtime, second);
  EXPECT_TRUE(publish(*runtime, "tasks", "two"));
  EXPECT_TRUE(publish(*runtime, "tasks", "three"));
  EXPECT_EQ(stats(*first, "tasks").ready, 1U);
  EXPECT_EQ(stats(*second, "tasks").ready, 2U);
  EXPECT_EQ(published(*first, "tasks"), 1);
  EXPECT_EQ(published(*second, "tasks"), 2);
  EXPECT_EQ(runtime->side(), second);
}

TEST(Sides, ACallUnderWayEndsWhereItBegan) {
  auto runtime = open_scripted_runtime();
  const auto first = runtime->side();
  const auto second = open_memory_side();
  Sent sent;
  std::thread publisher([&] { sent = publish(*runtime, "slow-300", "x"); });
  ASSERT_TRUE(eventually([&] { return first->in_flight() == 1; }));
  turn_to(*runtime, second);
  EXPECT_EQ(first->in_flight(), 1U);
  publisher.join();
  EXPECT_TRUE(sent);
  EXPECT_EQ(first->in_flight(), 0U);
  EXPECT_EQ(stats(*first, "slow-300").ready, 1U);
  EXPECT_EQ(stats(*second, "slow-300").ready, 0U);
}

TEST(Sides, WhatFailsOnOneIsTriedOnTheOtherAtOnce) {
  auto runtime = open_scripted_runtime();
  const auto first = runtime->side();
  const auto second = open_memory_side();
  Sent alone;
  std::atomic<int> confirmed{0};
  std::thread publisher([&] { alone = publish(*runtime, "down", "x", 30s); });
  const swapmq::Message message{.body = "x"};
  for (const char* queue : {"down-1", "down-2"}) {
    runtime->async().submit(
        *runtime->publisher(queue).value(), {&message, 1},
        [&](std::span<const Sent> sent) { confirmed += sent[0] ? 1 : 0; }, 30s);
  }
  // By now the pauses between two attempts have grown to a second or two.
  ASSERT_TRUE(eventually([&] {
    return first->metrics().queue("down").publish_retries.value() >= 7 &&
           first->metrics().queue("down-2").publish_retries.value() >= 7;
  }));
  const auto turned = steady_clock::now();
  turn_to(*runtime, second);
  publisher.join();
  EXPECT_TRUE(eventually([&] { return confirmed == 2; }));
  EXPECT_LE(steady_clock::now() - turned, 300ms);
  EXPECT_TRUE(alone) << alone.error().message();
  EXPECT_EQ(stats(*second, "down").ready, 1U);
}

TEST(Sides, NobodyWaitsForASessionOfTheOneThatWasLeft) {
  auto runtime = open_runtime(R"({"type":"scripted","pool":{"publish_sessions":1}})");
  const auto first = runtime->side();
  const auto second = open_memory_side();
  std::thread slow([&] { EXPECT_TRUE(publish(*runtime, "slow-2000", "x")); });
  ASSERT_TRUE(eventually([&] { return first->in_flight() == 1; }));
  Sent sent;
  std::thread waiting([&] { sent = publish(*runtime, "tasks", "x"); });
  swapmq::metrics::SessionMetrics& sessions = first->metrics().backend().publish;
  ASSERT_TRUE(eventually([&] { return sessions.waits.value() == 1; }));
  EXPECT_EQ(sessions.in_use.value(), 1);
  EXPECT_EQ(sessions.limit.value(), 1);
  const auto turned = steady_clock::now();
  turn_to(*runtime, second);
  waiting.join();
  EXPECT_LE(steady_clock::now() - turned, 500ms);
  EXPECT_TRUE(sent) << sent.error().message();
  EXPECT_EQ(stats(*second, "tasks").ready, 1U);
  slow.join();
  EXPECT_EQ(sessions.in_use.value(), 0);
}

TEST(Sides, InDoubtOnOneAndConfirmedOnTheOtherIsConfirmed) {
  auto runtime = open_scripted_runtime();
  const auto first = runtime->side();
  const auto second = open_memory_side();
  Sent sent;
  std::thread publisher([&] { sent = publish(*runtime, "limbo", "x", 30s); });
  ASSERT_TRUE(
      eventually([&] { return first->metrics().queue("limbo").publish_retries.value() > 0; }));
  turn_to(*runtime, second);
  publisher.join();
  EXPECT_EQ(sent.outcome(), Outcome::confirmed);
}

TEST(Sides, NothingIsLostWhileTheRouteGoesToAndFroUnderLoad) {
  auto runtime = open_memory_runtime();
  const std::vector<std::shared_ptr<Side>> sides{runtime->side(), open_memory_side()};
  std::mutex mutex;
  std::map<std::string, int> got;
  AtOnce at_once;
  auto consumer = runtime->consume("tasks", {.prefetch = 64, .concurrency = 4}, [&](const auto& d) {
    const AtOnce::Here here(at_once);
    const std::lock_guard lock(mutex);
    ++got[std::string(d.body())];
    return swapmq::ack();
  });
  std::atomic<bool> stop{false};
  std::vector<int> sent(4);
  std::vector<std::thread> publishers;
  for (std::size_t p = 0; p < sent.size(); ++p) {
    publishers.emplace_back([&, p] {
      while (!stop) {
        const auto body = std::to_string(p) + "/" + std::to_string(sent[p]);
        ASSERT_TRUE(publish(*runtime, "tasks", body));
        ++sent[p];
      }
    });
  }
  for (std::size_t turn = 1; turn <= 100; ++turn) {
    turn_to(*runtime, sides[turn % 2]);
    std::this_thread::sleep_for(2ms);
  }
  stop = true;
  for (auto& publisher : publishers) publisher.join();
  const auto all = static_cast<std::size_t>(sent[0] + sent[1] + sent[2] + sent[3]);
  EXPECT_TRUE(eventually([&] {
    const std::lock_guard lock(mutex);
    return got.size() == all;
  }));
  EXPECT_FALSE((*consumer)->close(5s));
  for (const auto& [body, times] : got) EXPECT_EQ(times, 1) << body;
  EXPECT_LE(at_once.most(), 4);
  for (const auto& side : sides) {
    EXPECT_GT(published(*side, "tasks"), 0);
    EXPECT_EQ(stats(*side, "tasks").ready + stats(*side, "tasks").unacked, 0U);
  }
}

TEST(Sides, OneHandlerNeverRunsTwiceAtOnceAndBothSidesHaveTheirTurn) {
  auto runtime = open_memory_runtime();
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(publish(*runtime, "tasks", "old"));
  const auto second = open_memory_side();
  turn_to(*runtime, second);
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(publish(*runtime, "tasks", "new"));
  AtOnce at_once;
  Seen seen;
  auto consumer = runtime->consume("tasks", {.prefetch = 200}, [&](const Delivery& d) {
    const AtOnce::Here here(at_once);
    std::this_thread::sleep_for(1ms);
    seen.add(d.body());
    return swapmq::ack();
  });
  ASSERT_TRUE(eventually([&] { return seen.size() == 400; }));
  EXPECT_EQ(at_once.most(), 1);
  const auto all = seen.all();
  for (const char* body : {"old", "new"}) {
    EXPECT_GT(std::count(all.begin(), all.begin() + 100, body), 20) << body;
  }
  EXPECT_FALSE((*consumer)->close(5s));
}

TEST(Sides, ADeliveryIsSettledWhereItCameFrom) {
  auto runtime = open_memory_runtime();
  const auto first = runtime->side();
  const auto second = open_memory_side();
  ASSERT_TRUE(publish(*runtime, "tasks", "old"));
  auto subscription = runtime->consume("tasks", {}, {});
  const auto before = (*subscription)->receive(1, 5s).value();
  ASSERT_EQ(before.size(), 1U);
  turn_to(*runtime, second);
  ASSERT_TRUE(publish(*runtime, "tasks", "new"));
  const auto after = (*subscription)->receive(10, 5s).value();
  ASSERT_EQ(after.size(), 1U);
  EXPECT_EQ(after[0].body(), "new");
  EXPECT_EQ(stats(*first, "tasks").unacked, 1U);
  EXPECT_EQ(before[0].ack(), swapmq::Settling::accepted);
  EXPECT_FALSE(before[0].wait_settled(5s));
  EXPECT_EQ(stats(*first, "tasks").unacked, 0U);
  EXPECT_EQ(stats(*second, "tasks").unacked, 1U);
}

TEST(Sides, WhoPullsHearsOfEachSideAndOfTheEnd) {
  auto runtime = open_memory_runtime();
  const auto first = runtime->side();
  const auto second = open_memory_side();
  auto subscription = runtime->consume("tasks", {}, {}).value();
  turn_to(*runtime, second);
  for (const auto& side : {first, second, first}) {
    turn_to(*runtime, side);
    std::thread later([&] {
      std::this_thread::sleep_for(50ms);
      ASSERT_TRUE(publish(*runtime, "tasks", "x"));
    });
    const auto got = subscription->receive(1, 10s).value();
    later.join();
    ASSERT_EQ(got.size(), 1U);
    EXPECT_EQ(got[0].ack(), swapmq::Settling::accepted);
  }
  std::thread closing([&] {
    std::this_thread::sleep_for(50ms);
    EXPECT_FALSE(runtime->close(5s));
  });
  EXPECT_EQ(subscription->receive(1, 10s).error().code(), swapmq::Errc::closed);
  closing.join();
}

TEST(HandlerSlots, AreGivenInTheOrderInWhichTheyWereAskedFor) {
  HandlerSlots slots(1);
  ASSERT_TRUE(slots.take(steady_clock::now()));
  std::mutex mutex;
  std::vector<int> order;
  std::vector<std::thread> threads;
  for (std::uint32_t i = 0; i < 5; ++i) {
    threads.emplace_back([&, i] {
      ASSERT_TRUE(slots.take(steady_clock::now() + 10s));
      {
        const std::lock_guard lock(mutex);
        order.push_back(static_cast<int>(i));
      }
      slots.give_back();
    });
    ASSERT_TRUE(eventually([&] { return slots.waiting() == i + 1; })); // it stands in line
  }
  EXPECT_TRUE(slots.wanted());
  slots.give_back();
  EXPECT_TRUE(slots.take(steady_clock::now() + 10s)) << "behind the others";
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(HandlerSlots, WhoGivesUpWaitingIsSteppedOver) {
  HandlerSlots slots(1);
  ASSERT_TRUE(slots.take(steady_clock::now()));
  EXPECT_FALSE(slots.take(steady_clock::now() + 20ms));
  EXPECT_FALSE(slots.wanted());
  std::thread impatient([&] { EXPECT_FALSE(slots.take(steady_clock::now() + 100ms)); });
  ASSERT_TRUE(eventually([&] { return slots.wanted(); }));
  std::thread patient([&] { EXPECT_TRUE(slots.take(steady_clock::now() + 10s)); });
  impatient.join();
  slots.give_back();
  patient.join();
}

} // namespace
