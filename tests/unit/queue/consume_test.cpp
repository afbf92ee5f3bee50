// SPDX-License-Identifier: MIT
//
// Handlers, pulling, prefetch, concurrency.
#include <set>

#include "support.h"

namespace {

using namespace test;
using swapmq::Delivery;
using swapmq::Errc;

void publish(swapmq::MessageQueue& mq, const std::string& queue, int count) {
  for (int i = 0; i < count; ++i) ASSERT_TRUE(mq.publish(queue, std::to_string(i)));
}

TEST(Consume, AHandlersWordSettles) {
  auto mq = open_memory(R"(,"retry_delay_seconds":0)");
  publish(mq, "tasks", 4);
  std::atomic<int> nacked{0};
  auto consumer = mq.consume("tasks", {}, [&](const Delivery& d) {
    if (d.body() == "1" && d.delivery_count() == 1) {
      ++nacked;
      return swapmq::nack(0ms);
    }
    if (d.body() == "2") return swapmq::reject("no good");
    return swapmq::ack();
  });
  EXPECT_TRUE(eventually([&] { return metric(mq, "swapmq_settled_total") == 5; }));
  EXPECT_EQ(nacked, 1);
  EXPECT_EQ(*mq.size("tasks"), 0U);
  EXPECT_EQ(*mq.size("tasks.dead"), 1U);
  EXPECT_EQ(metric(mq, "swapmq_settled_total", {{"as", "ack"}}), 3);
  EXPECT_EQ(metric(mq, "swapmq_settled_total", {{"as", "nack"}}), 1);
  EXPECT_EQ(metric(mq, "swapmq_settled_total", {{"as", "dead_letter"}}), 1);
  EXPECT_EQ(metric(mq, "swapmq_handle_seconds"), 5);
}

TEST(Consume, AThrowingHandlerNacks) {
  auto mq = open_memory(R"(,"retry_delay_seconds":0)", R"({"tasks":{"max_deliveries":2}})");
  publish(mq, "tasks", 1);
  auto consumer = mq.consume("tasks", {}, [](const Delivery&) -> swapmq::Decision {
    throw std::runtime_error("cannot resize");
  });
  ASSERT_TRUE(eventually([&] { return *mq.size("tasks.dead") == 1; }));
  auto dead = mq.subscribe("tasks.dead");
  auto got = dead->receive(1, 5s);
  ASSERT_EQ(got->size(), 1U);
  EXPECT_EQ((*got)[0].header("swapmq-dead-letter-reason"), "max_deliveries: cannot resize");
  EXPECT_EQ((*got)[0].header("swapmq-dead-letter-queue"), "tasks");
  EXPECT_EQ((*got)[0].header("swapmq-dead-letter-deliveries"), "2");
  EXPECT_EQ((*got)[0].header("swapmq-dead-letter-time")->size(), 24U);
}

TEST(Consume, FirstDeliveriesComeInOrder) {
  auto mq = open_memory();
  publish(mq, "tasks", 2000);
  Seen seen;
  auto consumer = mq.consume("tasks", {.prefetch = 64}, [&](const Delivery& d) {
    seen.add(d.body());
    return swapmq::ack();
  });
  ASSERT_TRUE(eventually([&] { return seen.size() == 2000; }));
  const auto bodies = seen.all();
  for (int i = 0; i < 2000; ++i) ASSERT_EQ(bodies[static_cast<std::size_t>(i)], std::to_string(i));
}

TEST(Consume, SeveralHandlersShareTheWorkExactlyOnce) {
  for (const char* pool : {"", R"(,"pool":{"publish_sessions":2,"consume_sessions":3})"}) {
    auto mq = open_memory(pool);
    Seen seen;
    std::mutex mutex;
    std::set<std::thread::id> threads;
    auto consumer = mq.consume("tasks", {.prefetch = 32, .concurrency = 6}, [&](const Delivery& d) {
      {
        const std::lock_guard lock(mutex);
        threads.insert(std::this_thread::get_id());
      }
      seen.add(d.body());
      std::this_thread::sleep_for(100us); // leaves something for the others
      return swapmq::ack();
    });
    publish(mq, "tasks", 3000);
    ASSERT_TRUE(eventually([&] { return seen.size() == 3000; }));
    ASSERT_FALSE(consumer->close());
    const auto bodies = seen.all();
    EXPECT_EQ(std::set<std::string>(bodies.begin(), bodies.end()).size(), 3000U);
    EXPECT_GT(threads.size(), 1U);
    EXPECT_EQ(mq.stats("tasks")->unacked, 0U);
  }
}

/// The most handlers that ran at once.
int peak_of_handlers(int sessions, swapmq::ConsumeOptions options, int expected) {
  auto mq = open_memory(R"(,"pool":{"consume_sessions":)" + std::to_string(sessions) + "}");
  constexpr int count = 100;
  for (int i = 0; i < count; ++i) EXPECT_TRUE(mq.publish("tasks", "x"));
  std::atomic<int> inside{0};
  std::atomic<int> peak{0};
  std::atomic<int> done{0};
  std::atomic<bool> go_on{false};
  auto consumer = mq.consume("tasks", options, [&](const Delivery&) {
    const int now = ++inside;
    for (int seen = peak; now > seen && !peak.compare_exchange_weak(seen, now);) {
    }
    eventually([&] { return go_on.load(); });
    --inside;
    ++done;
    return swapmq::ack();
  });
  EXPECT_TRUE(eventually([&] { return inside >= expected; })) << inside << " at once";
  go_on = true;
  EXPECT_TRUE(eventually([&] { return done == count; }));
  EXPECT_FALSE(consumer->close());
  return peak;
}

TEST(Consume, SeveralSessionsShareOnePrefetchAndAllHandlers) {
  EXPECT_EQ(peak_of_handlers(4, {.prefetch = 1, .concurrency = 4}, 1), 1);
  EXPECT_EQ(peak_of_handlers(2, {.prefetch = 10, .concurrency = 5}, 5), 5);
  EXPECT_EQ(peak_of_handlers(3, {.prefetch = 7, .concurrency = 16}, 7), 7);
}

TEST(Consume, NothingNewPastPrefetchUntilSomethingIsSettled) {
  auto mq = open_memory();
  publish(mq, "tasks", 20);
  auto subscription = mq.subscribe("tasks", {.prefetch = 5});
  std::vector<Delivery> held;
  while (held.size() < 5) {
    auto got = subscription->receive(100, 5s);
    ASSERT_FALSE(got->empty());
    for (auto& d : *got) held.push_back(d);
  }
  EXPECT_EQ(held.size(), 5U);
  EXPECT_TRUE(subscription->receive(100, 100ms)->empty());
  EXPECT_EQ(mq.stats("tasks")->unacked, 5U);
  EXPECT_EQ(held[0].ack(), swapmq::Settling::accepted);
  auto next = subscription->receive(100, 5s);
  ASSERT_EQ(next->size(), 1U);
  EXPECT_EQ((*next)[0].body(), "5");
}

TEST(Consume, PullingWaitsAtMostItsTimeout) {
  auto mq = open_memory();
  auto subscription = mq.subscribe("tasks");
  const auto before = std::chrono::steady_clock::now();
  EXPECT_TRUE(subscription->receive(1, 100ms)->empty());
  const auto took = std::chrono::steady_clock::now() - before;
  EXPECT_GE(took, 99ms);
  EXPECT_LE(took, 1s);
  EXPECT_EQ(subscription->receive(0, 1ms).error().code(), Errc::invalid_argument);
  std::thread later([&] {
    std::this_thread::sleep_for(30ms);
    EXPECT_TRUE(mq.publish("tasks", "x"));
  });
  EXPECT_EQ(subscription->receive(1, 10s)->size(), 1U);
  later.join();
}

TEST(Consume, AMessageOfACrashLoopIsDeadLettered) {
  auto mq = open_memory("", R"({"tasks":{"max_deliveries":2}})");
  // As if it had been delivered and lost with its consumer too often already: nack it by hand.
  publish(mq, "tasks", 1);
  auto subscription = mq.subscribe("tasks");
  for (int i = 0; i < 2; ++i) {
    auto got = subscription->receive(1, 5s);
    ASSERT_EQ(got->size(), 1U);
    EXPECT_EQ((*got)[0].delivery_count(), static_cast<unsigned>(i + 1));
    (*got)[0].nack(0ms, "again");
  }
  EXPECT_TRUE(eventually([&] { return *mq.size("tasks.dead") == 1; }));
}

TEST(Consume, RefusesWrongOptions) {
  auto mq = open_memory();
  EXPECT_EQ(mq.consume("tasks", {}, {}).error().code(), Errc::invalid_argument);
  EXPECT_EQ(mq.subscribe("tasks", {.prefetch = 0}).error().code(), Errc::invalid_argument);
  EXPECT_EQ(mq.subscribe("tasks", {.prefetch = 1'000'000}).error().code(), Errc::invalid_argument);
  EXPECT_EQ(mq.subscribe("tasks", {.concurrency = 0}).error().code(), Errc::invalid_argument);
}

} // namespace
