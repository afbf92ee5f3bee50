// SPDX-License-Identifier: MIT
//
// Queues without end, as applications have that await each answer in a queue of its own.
#include <set>

#include "support.h"

namespace {

using namespace test;

constexpr int threads = 4;
constexpr int names_per_thread = 4000; // so that sessions wear out and publishers are forgotten

std::string name_of(int thread, int number) {
  return "answer-" + std::to_string(thread) + "-" + std::to_string(number);
}

/// Publishes to each name of a thread, every other message asynchronously; how many were confirmed.
int publish_to_all(swapmq::MessageQueue& mq, int thread) {
  std::atomic<int> confirmed{0};
  std::atomic<int> answered{0};
  int asked = 0;
  for (int i = 0; i < names_per_thread; ++i) {
    if (i % 2 == 0) {
      confirmed += mq.publish(name_of(thread, i), "x") ? 1 : 0;
      continue;
    }
    ++asked;
    mq.publish_async(name_of(thread, i), {.body = "x"}, [&](const swapmq::Sent& sent) {
      confirmed += sent ? 1 : 0;
      ++answered;
    });
  }
  EXPECT_TRUE(eventually([&] { return answered == asked; }));
  return confirmed;
}

std::set<std::string> queue_labels(const swapmq::MessageQueue& mq) {
  std::set<std::string> names;
  for (const auto& metric : mq.metrics()) {
    for (const auto& [label, value] : metric.labels) {
      if (label == "queue") names.insert(value);
    }
  }
  return names;
}

TEST(ManyNames, EveryMessageIsConfirmedAndCounted) {
  auto mq = open_memory();
  std::vector<std::thread> publishing;
  std::atomic<int> confirmed{0};
  for (int t = 0; t < threads; ++t) {
    publishing.emplace_back([&, t] { confirmed += publish_to_all(mq, t); });
  }
  for (auto& thread : publishing) thread.join();
  EXPECT_EQ(confirmed, threads * names_per_thread);
  EXPECT_EQ(metric(mq, "swapmq_published_total", {{"outcome", "confirmed"}}), confirmed);
  EXPECT_EQ(mq.list_queues()->size(), static_cast<std::size_t>(threads * names_per_thread));
}

TEST(ManyNames, MetricsAndSessionsAreBounded) {
  auto mq = open_memory();
  for (int t = 0; t < threads; ++t) publish_to_all(mq, t);
  EXPECT_EQ(queue_labels(mq).size(), 4096U);
  EXPECT_GT(metric(mq, "swapmq_sessions_opened_total"), 2) << "none wore out";
  EXPECT_EQ(metric(mq, "swapmq_sessions_broken_total"), 0);
}

} // namespace
