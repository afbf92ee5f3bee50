// SPDX-License-Identifier: MIT
//
// Delay queues that a backend's sessions have made or met: AMQP lists no queues, and asking for one
// that is not there costs a channel and a line in the broker's log.
#pragma once

#include <cstddef>
#include <set>
#include <string>

#include "swapmq/backend_locks.hpp"

namespace swapmq::rabbitmq {

/// Any thread. A hint: they may be gone, and there may be others.
class KnownDelays {
 public:
  void add(const std::string& name) SWAPMQ_EXCLUDES(mutex_) {
    const backend::Lock lock(mutex_);
    if (names_.size() >= kMost) names_.clear(); // they are found again
    names_.insert(name);
  }
  void remove(const std::string& name) SWAPMQ_EXCLUDES(mutex_) {
    const backend::Lock lock(mutex_);
    names_.erase(name);
  }
  bool has(const std::string& name) SWAPMQ_EXCLUDES(mutex_) {
    const backend::Lock lock(mutex_);
    return names_.contains(name);
  }

 private:
  static constexpr std::size_t kMost = 65536;

  backend::Mutex mutex_;
  std::set<std::string> names_ SWAPMQ_GUARDED_BY(mutex_);
};

} // namespace swapmq::rabbitmq
