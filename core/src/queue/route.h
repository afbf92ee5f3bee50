// SPDX-License-Identifier: MIT
//
// Where publishes go now. A publisher enters the route for each call of a plugin and is counted
// there until it leaves: once the route has changed and the count of the old side is zero, nothing
// of ours is or comes under way on it any more.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "queue/side.h"
#include "thread_safety.h"

namespace swapmq::queue {

/// Any thread. Leads nowhere until the first change.
class Route {
 public:
  /// One call under way on the side that was the route when it began; it ends there.
  class Passage {
   public:
    Passage(Passage&&) noexcept = default;
    Passage& operator=(Passage&&) = delete;
    ~Passage() {
      if (side_ != nullptr) side_->in_flight_.fetch_sub(1);
    }
    Side* operator->() const { return side_.get(); }
    Side& operator*() const { return *side_; }

   private:
    friend class Route;
    explicit Passage(std::shared_ptr<Side> side) : side_(std::move(side)) {
      side_->in_flight_.fetch_add(1);
    }
    std::shared_ptr<Side> side_;
  };

  Passage enter() SWAPMQ_EXCLUDES(mutex_) {
    const Lock lock(mutex_); // reading and counting are one step: no change comes between
    return Passage(side_);
  }
  [[nodiscard]] std::shared_ptr<Side> side() const SWAPMQ_EXCLUDES(mutex_) {
    const Lock lock(mutex_);
    return side_;
  }
  /// The serial number of the side of now.
  [[nodiscard]] std::uint64_t serial() const { return serial_.load(); }
  /// From the next call on. Those under way end where they are.
  void change(std::shared_ptr<Side> to) SWAPMQ_EXCLUDES(mutex_) {
    const Lock lock(mutex_);
    side_.swap(to); // the old one may end with `to`, after the lock is gone
    serial_.store(side_->serial());
  }

 private:
  std::atomic<std::uint64_t> serial_{0};
  mutable Mutex mutex_;
  std::shared_ptr<Side> side_ SWAPMQ_GUARDED_BY(mutex_);
};

} // namespace swapmq::queue
