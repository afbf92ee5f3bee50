// SPDX-License-Identifier: MIT
//
// Where publishes go now. A publisher enters the route for each call of a plugin and is counted
// there until it leaves: once the route has changed and the count of the old side is zero, nothing
// of ours is or comes under way on it any more.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>
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
    turns_.fetch_add(1);
  }
  /// Counts what whoever waits to try again should hear of.
  [[nodiscard]] std::uint64_t turns() const { return turns_.load(); }

  // -- strict order
  /// Nothing is published now but to these queues, until let_go().
  void hold(std::set<std::string, std::less<>> all_but) SWAPMQ_EXCLUDES(mutex_) {
    const Lock lock(mutex_);
    not_held_ = std::move(all_but);
    holding_.store(true);
  }
  void let_go() {
    if (holding_.exchange(false)) turns_.fetch_add(1);
  }
  [[nodiscard]] bool holds(std::string_view queue) const SWAPMQ_EXCLUDES(mutex_) {
    if (!holding_.load()) return false;
    const Lock lock(mutex_);
    return not_held_.find(queue) == not_held_.end();
  }

 private:
  std::atomic<std::uint64_t> serial_{0}, turns_{0};
  std::atomic<bool> holding_{false};
  mutable Mutex mutex_;
  std::shared_ptr<Side> side_ SWAPMQ_GUARDED_BY(mutex_);
  std::set<std::string, std::less<>> not_held_ SWAPMQ_GUARDED_BY(mutex_);
};

} // namespace swapmq::queue
