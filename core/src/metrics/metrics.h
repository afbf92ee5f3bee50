// SPDX-License-Identifier: MIT
//
// What a message queue counts: for each queue and for the backend as a whole. Names follow the
// conventions of Prometheus (base units, _total).
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "metrics/histogram.h"
#include "swapmq/swapmq.hpp"
#include "thread_safety.h"

namespace swapmq::metrics {

struct QueueMetrics {
  Counter confirmed, failed, in_doubt, publish_retries;
  Counter delivered, redelivered;
  Counter acked, nacked, released, dead_lettered, lost, ack_timeouts;
  Histogram publish_seconds; ///< from the call to its outcome, retries included
  Histogram handle_seconds;  ///< a handler's run
  Histogram settle_seconds;  ///< from the decision to the broker's word
};

/// Of the sessions of one role.
struct SessionMetrics {
  Counter opened, broken;
  Counter waits; ///< for a free one
  Gauge in_use;
  Gauge limit; ///< how many a pool may have
};

struct BackendMetrics {
  SessionMetrics publish, consume, admin;
};

/// Owns the metrics of one message queue. References stay valid while it lives.
class Registry {
 public:
  /// Of each of the first max_queues names; all later ones share a set, which has no queue label.
  QueueMetrics& queue(std::string_view name) SWAPMQ_EXCLUDES(mutex_);
  BackendMetrics& backend() { return backend_; }
  /// A counter that a plugin named.
  void count(std::string_view name, std::uint64_t amount) SWAPMQ_EXCLUDES(mutex_);
  [[nodiscard]] std::vector<Metric> snapshot(std::string_view backend_name) const
      SWAPMQ_EXCLUDES(mutex_);

 private:
  static constexpr std::size_t max_plugin_counters = 256;
  static constexpr std::size_t max_queues = 4096;

  mutable Mutex mutex_;
  std::map<std::string, std::unique_ptr<QueueMetrics>, std::less<>> queues_
      SWAPMQ_GUARDED_BY(mutex_);
  std::unique_ptr<QueueMetrics> other_queues_ SWAPMQ_GUARDED_BY(mutex_); ///< null: none yet
  std::map<std::string, std::uint64_t, std::less<>> plugin_counters_ SWAPMQ_GUARDED_BY(mutex_);
  BackendMetrics backend_;
};

} // namespace swapmq::metrics
