// SPDX-License-Identifier: MIT
#pragma once

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <climits>
#include <ctime>

namespace swapmq::queue {

/// A word that threads sleep on. std::atomic::wait has no deadline; a futex has (futex(2),
/// FUTEX_WAIT_BITSET: absolute, CLOCK_MONOTONIC).
class Futex {
 public:
  [[nodiscard]] std::uint32_t load() const { return word_.load(std::memory_order_acquire); }
  void store(std::uint32_t value) { word_.store(value, std::memory_order_release); }
  void increment() { word_.fetch_add(1); }

  /// Sleeps while the word is `expected`; may wake for nothing. false: the deadline passed.
  bool wait(std::uint32_t expected, std::chrono::steady_clock::time_point deadline) {
    const auto since = deadline.time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
    const timespec until{static_cast<time_t>(seconds.count()),
                         static_cast<long>(std::chrono::nanoseconds(since - seconds).count())};
    const long result = syscall(SYS_futex, address(), FUTEX_WAIT_BITSET_PRIVATE, expected, &until,
                                nullptr, FUTEX_BITSET_MATCH_ANY);
    return result == 0 || errno != ETIMEDOUT;
  }
  void wake_all() {
    syscall(SYS_futex, address(), FUTEX_WAKE_PRIVATE, INT_MAX, nullptr, nullptr, 0);
  }

 private:
  std::uint32_t* address() { return reinterpret_cast<std::uint32_t*>(&word_); }
  std::atomic<std::uint32_t> word_{0};
  static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));
};

} // namespace swapmq::queue
