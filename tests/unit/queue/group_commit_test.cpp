// SPDX-License-Identifier: MIT
//
// Callers that publish at the same time travel together.
#include "support.h"

namespace {

using namespace test;
using swapmq::Outcome;

double publish_calls(const swapmq::MessageQueue& mq) {
  return metric(mq, "swapmq_plugin_events_total", {{"event", "publish_calls"}});
}

TEST(GroupCommit, ConcurrentCallersShareACall) {
  auto mq = open_scripted();
  std::vector<std::thread> threads;
  std::atomic<int> confirmed{0};
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) confirmed += mq.publish("slow-20", "x") ? 1 : 0;
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(confirmed, 80);
  // One each would be 80; together they need a little more than five.
  EXPECT_LE(publish_calls(mq), 20);
  EXPECT_EQ(*mq.size("slow-20"), 80U);
}

TEST(GroupCommit, ManyThreadsLoseNothing) {
  auto mq = open_memory();
  std::vector<std::thread> threads;
  std::atomic<int> confirmed{0};
  constexpr int per_thread = 3000;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < per_thread; ++i) {
        confirmed += mq.publish("tasks", std::to_string(t) + ":" + std::to_string(i)) ? 1 : 0;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(confirmed, 8 * per_thread);

  // Each thread's messages come in the order in which it published them.
  std::vector<int> next(8, 0);
  std::atomic<int> count{0};
  auto consumer = mq.consume("tasks", {}, [&](const swapmq::Delivery& d) {
    const auto colon = d.body().find(':');
    const int thread = std::stoi(std::string(d.body().substr(0, colon)));
    const int number = std::stoi(std::string(d.body().substr(colon + 1)));
    EXPECT_EQ(next[static_cast<std::size_t>(thread)]++, number);
    ++count;
    return swapmq::ack();
  });
  EXPECT_TRUE(eventually([&] { return count == 8 * per_thread; }));
}

TEST(GroupCommit, EachCallerKeepsItsOwnDeadline) {
  auto mq = open_scripted();
  std::vector<std::thread> threads;
  std::vector<std::chrono::milliseconds> took(4);
  const std::vector<std::chrono::milliseconds> timeouts{100ms, 1500ms, 300ms, 700ms};
  for (std::size_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const auto before = std::chrono::steady_clock::now();
      EXPECT_EQ(mq.publish("down", "x", {.timeout = timeouts[t]}).outcome(), Outcome::failed);
      took[t] = std::chrono::duration_cast<std::chrono::milliseconds>(
          std::chrono::steady_clock::now() - before);
    });
  }
  for (auto& thread : threads) thread.join();
  for (std::size_t t = 0; t < 4; ++t) {
    EXPECT_GE(took[t], timeouts[t] - 60ms) << t; // a last pause may be cut short
    EXPECT_LE(took[t], timeouts[t] + 600ms) << t;
  }
}

TEST(GroupCommit, WhoWaitsBehindASlowCallLeavesAtItsDeadline) {
  auto mq = open_scripted();
  std::thread slow([&] { EXPECT_TRUE(mq.publish("slow-800", "x")); });
  ASSERT_TRUE(eventually([&] { return publish_calls(mq) == 1; }));
  const auto before = std::chrono::steady_clock::now();
  const auto sent = mq.publish("slow-800", "y", {.timeout = 100ms});
  const auto took = std::chrono::steady_clock::now() - before;
  EXPECT_EQ(sent.outcome(), Outcome::failed); // it never was sent, and that is certain
  EXPECT_EQ(sent.error().code(), swapmq::Errc::timeout);
  EXPECT_LE(took, 600ms);
  slow.join();
  EXPECT_EQ(*mq.size("slow-800"), 1U);
}

TEST(GroupCommit, AsyncAndSyncKeepTheirOrder) {
  auto mq = open_memory();
  constexpr int count = 2000;
  for (int i = 0; i < count; ++i) {
    const std::string body = std::to_string(i);
    if (i % 3 == 0) {
      ASSERT_TRUE(mq.publish("tasks", body));
    } else {
      mq.publish_async("tasks", swapmq::Message{.body = body});
    }
  }
  std::atomic<int> next{0};
  auto consumer = mq.consume("tasks", {}, [&](const swapmq::Delivery& d) {
    EXPECT_EQ(d.body(), std::to_string(next));
    ++next;
    return swapmq::ack();
  });
  EXPECT_TRUE(eventually([&] { return next == count; }));
}

} // namespace
