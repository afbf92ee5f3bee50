// SPDX-License-Identifier: MIT
//
// The bytes that a store may hold, and grants of them.
#pragma once

#include <atomic>
#include <cstdint>

namespace swapmq::memory {

/// [any thread]
class Budget {
 public:
  explicit Budget(uint64_t limit) : limit_(limit) {}

  [[nodiscard]] uint64_t limit() const { return limit_; }
  [[nodiscard]] uint64_t used() const { return used_.load(std::memory_order_relaxed); }

  bool reserve(uint64_t bytes) {
    uint64_t used = used_.load(std::memory_order_relaxed);
    do {
      if (bytes > limit_ - used) return false;
    } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    return true;
  }
  void give_back(uint64_t bytes) {
    if (bytes != 0) used_.fetch_sub(bytes, std::memory_order_relaxed);
  }

 private:
  const uint64_t limit_;
  std::atomic<uint64_t> used_{0};
};

/// Bytes reserved for messages that are not stored yet; what is not spent goes back.
class Grant {
 public:
  explicit Grant(Budget& budget) : budget_(budget) {}
  ~Grant() { budget_.give_back(left_); }
  Grant(const Grant&) = delete;
  Grant& operator=(const Grant&) = delete;

  bool add(uint64_t bytes) {
    if (!budget_.reserve(bytes)) return false;
    left_ += bytes;
    return true;
  }
  void spend(uint64_t bytes) { left_ -= bytes; }

 private:
  Budget& budget_;
  uint64_t left_ = 0;
};

} // namespace swapmq::memory
