// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>

#include "queue/futex.h"
#include "thread_safety.h"

namespace swapmq::queue {

/// Rung when there is something to take; several ledgers may share one. Any thread. Whoever waits
/// listens first, then looks, and waits for a ring after that: none is missed.
class Bell {
 public:
  [[nodiscard]] std::uint32_t listen() const { return rings_.load(); }
  void ring() {
    rings_.increment();
    if (waiting_.load() > 0) rings_.wake_all();
    if (!has_listener_.load()) return;
    const Lock lock(mutex_);
    if (listener_) listener_();
  }
  /// Called with each ring from now on, by whoever rings, with his locks held; never any more once
  /// another one, or none, was set.
  void set_listener(std::function<void()> listener) SWAPMQ_EXCLUDES(mutex_) {
    const Lock lock(mutex_);
    listener_ = std::move(listener);
    has_listener_ = static_cast<bool>(listener_);
  }
  /// Returns at once if it rang since listen(); may return for nothing.
  void wait(std::uint32_t heard, std::chrono::steady_clock::time_point deadline) {
    waiting_.fetch_add(1);
    rings_.wait(heard, deadline);
    waiting_.fetch_sub(1);
  }

 private:
  Futex rings_;
  std::atomic<std::uint32_t> waiting_{0};
  std::atomic<bool> has_listener_{false};
  Mutex mutex_;
  std::function<void()> listener_ SWAPMQ_GUARDED_BY(mutex_);
};

} // namespace swapmq::queue
