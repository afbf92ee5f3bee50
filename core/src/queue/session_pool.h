// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "metrics/metrics.h"
#include "plugin/session.h"
#include "thread_safety.h"

namespace swapmq::queue {

using plugin::Deadline;

/// A bounded set of sessions of one role: this is the connection pool. Any thread. A session is
/// lent to one thread at a time; one that says it is dead is closed when it comes back, and so is
/// one with handles of so many queues that a new connection costs less. Must outlive its leases.
class SessionPool {
 public:
  class Lease {
   public:
    Lease(SessionPool& pool, std::unique_ptr<plugin::Session> session)
        : pool_(&pool), session_(std::move(session)), in_use_(pool.metrics_.in_use) {}
    Lease(Lease&&) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (session_ != nullptr) pool_->give_back(std::move(session_));
    }
    plugin::Session* operator->() const { return session_.get(); }
    plugin::Session& operator*() const { return *session_; }

   private:
    SessionPool* pool_;
    std::unique_ptr<plugin::Session> session_;
    metrics::Gauge::Hold in_use_;
  };

  static constexpr std::size_t max_queues_per_session = 4096;

  SessionPool(std::shared_ptr<plugin::Backend> backend, std::int32_t role, std::size_t size,
              std::chrono::milliseconds connection_timeout, metrics::SessionMetrics& metrics);

  /// Waits for a free session, or opens one while there are fewer than `size`.
  Result<Lease> acquire(Deadline deadline) SWAPMQ_EXCLUDES(mutex_);
  /// Calls service() on the sessions that lay idle for half a second.
  void service_idle(Deadline deadline) SWAPMQ_EXCLUDES(mutex_);
  /// Whoever waits for a session hears that it should not: unavailable, worth retrying elsewhere.
  void turn_away() SWAPMQ_EXCLUDES(mutex_);
  /// Closes the idle sessions. acquire() says closed from now on.
  void close() SWAPMQ_EXCLUDES(mutex_);

 private:
  void give_back(std::unique_ptr<plugin::Session> session) SWAPMQ_EXCLUDES(mutex_);
  Result<Lease> open_one(Deadline deadline) SWAPMQ_EXCLUDES(mutex_);

  const std::shared_ptr<plugin::Backend> backend_;
  const std::int32_t role_;
  const std::size_t size_;
  const std::chrono::milliseconds connection_timeout_;
  metrics::SessionMetrics& metrics_;
  const metrics::Gauge::Hold limit_;

  Mutex mutex_;
  Condition returned_;
  std::vector<std::unique_ptr<plugin::Session>> idle_ SWAPMQ_GUARDED_BY(mutex_);
  std::size_t existing_ SWAPMQ_GUARDED_BY(mutex_) = 0;    // lent, idle or being opened
  std::size_t turned_away_ SWAPMQ_GUARDED_BY(mutex_) = 0; // how often
  bool closed_ SWAPMQ_GUARDED_BY(mutex_) = false;
};

} // namespace swapmq::queue
