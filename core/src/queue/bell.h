// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "queue/futex.h"

namespace swapmq::queue {

/// Rung when there is something to take; several ledgers may share one. Any thread. Whoever waits
/// listens first, then looks, and waits for a ring after that: none is missed.
class Bell {
 public:
  [[nodiscard]] std::uint32_t listen() const { return rings_.load(); }
  void ring() {
    rings_.increment();
    if (waiting_.load() > 0) rings_.wake_all();
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
};

} // namespace swapmq::queue
