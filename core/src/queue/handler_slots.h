// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>

#include "thread_safety.h"

namespace swapmq::queue {

/// How many handlers of a consumer run at once, over all the lanes that it has. Any thread. Slots
/// are given in the order in which they were asked for. One that is free costs one atomic
/// operation.
class HandlerSlots {
 public:
  using Deadline = std::chrono::steady_clock::time_point;

  explicit HandlerSlots(std::uint32_t count) : free_(count) {}
  HandlerSlots(const HandlerSlots&) = delete;
  HandlerSlots& operator=(const HandlerSlots&) = delete;

  /// false: there was none until the deadline.
  bool take(Deadline deadline) SWAPMQ_EXCLUDES(mutex_) {
    return (!wanted() && try_take()) || wait(deadline);
  }
  void give_back() SWAPMQ_EXCLUDES(mutex_) {
    free_.fetch_add(1);
    if (!wanted()) return;
    const Lock lock(mutex_);
    freed_.notify_all(); // the first in the line takes it
  }
  /// Somebody waits for one: who goes on for long gives its own back between two messages.
  [[nodiscard]] bool wanted() const { return waiting() > 0; }
  [[nodiscard]] std::uint32_t waiting() const { return waiting_.load(); }

 private:
  bool try_take() {
    std::uint32_t free = free_.load();
    while (free > 0) {
      if (free_.compare_exchange_weak(free, free - 1)) return true;
    }
    return false;
  }
  bool wait(Deadline deadline) SWAPMQ_EXCLUDES(mutex_) {
    const Lock lock(mutex_);
    const std::uint64_t ticket = next_ticket_++;
    line_.push_back(ticket);
    ++waiting_;
    bool taken = false;
    while (!taken) {
      taken = line_.front() == ticket && try_take();
      if (taken || std::chrono::steady_clock::now() >= deadline) break;
      freed_.wait_until(mutex_, deadline);
    }
    std::erase(line_, ticket);
    --waiting_;
    freed_.notify_all(); // another one is the first now
    return taken;
  }

  std::atomic<std::uint32_t> free_;
  std::atomic<std::uint32_t> waiting_{0};
  Mutex mutex_;
  Condition freed_;
  std::deque<std::uint64_t> line_ SWAPMQ_GUARDED_BY(mutex_);
  std::uint64_t next_ticket_ SWAPMQ_GUARDED_BY(mutex_) = 0;
};

/// A slot held for a scope; empty if there was none.
class HandlerSlot {
 public:
  HandlerSlot(HandlerSlots& slots, HandlerSlots::Deadline deadline)
      : slots_(slots), held_(slots.take(deadline)) {}
  ~HandlerSlot() {
    if (held_) slots_.give_back();
  }
  HandlerSlot(const HandlerSlot&) = delete;
  HandlerSlot& operator=(const HandlerSlot&) = delete;
  explicit operator bool() const { return held_; }

 private:
  HandlerSlots& slots_;
  const bool held_;
};

} // namespace swapmq::queue
