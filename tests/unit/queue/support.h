// SPDX-License-Identifier: MIT
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "swapmq/swapmq.hpp"

namespace test {

using namespace std::chrono_literals;

/// A message queue on the memory backend with a store of its own, or on the scripted one.
inline swapmq::MessageQueue open_memory(const std::string& more = "",
                                        const std::string& queues = "{}") {
  static std::atomic<int> number{0};
  const std::string name = std::to_string(getpid()) + "-" + std::to_string(number++);
  auto mq = swapmq::MessageQueue::try_open_text(
      R"({"message_queue":{"type":"memory","memory":{"name":")" + name + R"("})" + more +
          R"(},"queues":)" + queues + R"(,"log":{"level":"off"}})",
      "test");
  if (!mq) throw swapmq::Exception(mq.error());
  return std::move(*mq);
}

inline swapmq::MessageQueue open_scripted(const std::string& more = "") {
  auto mq = swapmq::MessageQueue::try_open_text(
      R"({"message_queue":{"type":"scripted")" + more + R"(},"plugin_path":[")" +
          std::string(TEST_BACKENDS) + R"("],"log":{"level":"off"}})",
      "test");
  if (!mq) throw swapmq::Exception(mq.error());
  return std::move(*mq);
}

/// Waits for a condition, at most ten seconds.
inline bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + 10s;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

/// Takes and acks until it has so many different bodies; fewer if they do not come within ten
/// seconds.
inline std::set<std::string> take_all(swapmq::Subscription& subscription, std::size_t count) {
  std::set<std::string> bodies;
  eventually([&] {
    const auto some = subscription.receive(count, 100ms).value();
    for (const auto& one : some) {
      bodies.emplace(one.body());
      one.ack();
    }
    return bodies.size() >= count;
  });
  return bodies;
}

/// Bodies that a handler saw, in order.
class Seen {
 public:
  void add(std::string_view body) {
    const std::lock_guard lock(mutex_);
    bodies_.emplace_back(body);
  }
  std::vector<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return bodies_;
  }
  std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return bodies_.size();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> bodies_;
};

/// The value of a metric, summed over the series that have all of the labels.
inline double metric(const swapmq::MessageQueue& mq, std::string_view name,
                     const std::vector<std::pair<std::string, std::string>>& labels = {}) {
  double sum = 0;
  for (const auto& one : mq.metrics()) {
    if (one.name != name) continue;
    bool all = true;
    for (const auto& label : labels) {
      all = all && std::find(one.labels.begin(), one.labels.end(), label) != one.labels.end();
    }
    if (all) sum += one.value;
  }
  return sum;
}

} // namespace test
