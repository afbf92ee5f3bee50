// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <memory>
#include <utility>

#include "config/config.h"
#include "thread_safety.h"

namespace swapmq::config {

/// The config that counts now; a reload replaces it as a whole. Any thread.
class Current {
 public:
  explicit Current(Config config)
      : config_(std::make_shared<const Config>(std::move(config))),
        has_groups_(config_->has_groups()) {}

  [[nodiscard]] std::shared_ptr<const Config> get() const SWAPMQ_EXCLUDES(mutex_) {
    const Lock lock(mutex_);
    return config_;
  }
  void set(Config config) SWAPMQ_EXCLUDES(mutex_) {
    auto next = std::make_shared<const Config>(std::move(config));
    const Lock lock(mutex_);
    config_.swap(next);
    has_groups_ = config_->has_groups();
  }
  /// As Config's; for every publish, without the lock.
  [[nodiscard]] bool has_groups() const { return has_groups_.load(std::memory_order_acquire); }

 private:
  mutable Mutex mutex_;
  std::shared_ptr<const Config> config_ SWAPMQ_GUARDED_BY(mutex_);
  std::atomic<bool> has_groups_;
};

} // namespace swapmq::config
