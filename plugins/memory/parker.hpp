// SPDX-License-Identifier: MIT
//
// Where the thread of one session sleeps, and how it is woken: by a queue that has something for
// it, or by an interrupt.
#pragma once

#include <atomic>
#include <chrono>

#include "swapmq/backend_locks.hpp"

namespace swapmq::memory {

/// Its own small lock comes last: it may be taken under a queue's, and takes no other.
class Parker {
 public:
  using Clock = std::chrono::steady_clock;

  /// [session's thread] Forgets earlier calls of unpark(); not interrupts.
  void prepare() {
    const backend::Lock lock(mutex_);
    called_ = false;
  }

  /// [session's thread] Sleeps until unpark(), interrupt() or `until`. What came since prepare()
  /// counts.
  void park(Clock::time_point until) {
    const backend::Lock lock(mutex_);
    while (!called_ && !interrupted_.load(std::memory_order_relaxed)) {
      if (!condition_.wait_until(mutex_, until)) return;
    }
  }

  /// [any thread]
  void unpark() {
    {
      const backend::Lock lock(mutex_);
      called_ = true;
    }
    condition_.notify_one();
  }

  /// [any thread] Sticky until take_interrupt().
  void interrupt() {
    {
      const backend::Lock lock(mutex_);
      interrupted_.store(true, std::memory_order_release);
    }
    condition_.notify_one();
  }

  /// [session's thread] Whether an interrupt came since the last call; it is used up by this.
  bool take_interrupt() {
    return interrupted_.load(std::memory_order_relaxed) &&
           interrupted_.exchange(false, std::memory_order_acq_rel);
  }

 private:
  backend::Mutex mutex_;
  backend::Condition condition_;
  bool called_ SWAPMQ_GUARDED_BY(mutex_) = false;
  std::atomic<bool> interrupted_{false}; // set under the lock, so that park() cannot miss it
};

} // namespace swapmq::memory
