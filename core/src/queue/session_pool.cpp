// SPDX-License-Identifier: MIT
#include "queue/session_pool.h"

#include <algorithm>
#include <utility>

namespace swapmq::queue {

using std::chrono::steady_clock;

SessionPool::SessionPool(std::shared_ptr<plugin::Backend> backend, std::int32_t role,
                         std::size_t size, std::chrono::milliseconds connection_timeout,
                         metrics::SessionMetrics& metrics)
    : backend_(std::move(backend)),
      role_(role),
      size_(size),
      connection_timeout_(connection_timeout),
      metrics_(metrics),
      limit_(metrics.limit, static_cast<std::int64_t>(size)) {}

Result<SessionPool::Lease> SessionPool::acquire(Deadline deadline) {
  {
    const Lock lock(mutex_);
    bool waited = false;
    const std::size_t turned_away = turned_away_;
    while (!closed_ && idle_.empty() && existing_ >= size_) {
      if (turned_away != turned_away_) {
        return Error(Errc::unavailable, "sessions of this backend are no longer waited for", true);
      }
      if (!waited) metrics_.waits.add();
      waited = true;
      if (!returned_.wait_until(mutex_, deadline) && steady_clock::now() >= deadline) {
        return Error(Errc::timeout, "every session of the pool was busy until the deadline", true);
      }
    }
    if (closed_) return Error(Errc::closed, "the message queue is closed");
    if (!idle_.empty()) {
      auto session = std::move(idle_.back()); // the warmest
      idle_.pop_back();
      return Lease(*this, std::move(session));
    }
    ++existing_;
  }
  return open_one(deadline);
}

Result<SessionPool::Lease> SessionPool::open_one(Deadline deadline) {
  const Deadline until = std::min(deadline, steady_clock::now() + connection_timeout_);
  auto opened = backend_->open_session(role_, until);
  if (opened) {
    metrics_.opened.add();
    return Lease(*this, std::move(*opened));
  }
  const Lock lock(mutex_);
  --existing_;
  returned_.notify_one();
  return opened.error();
}

void SessionPool::give_back(std::unique_ptr<plugin::Session> session) {
  if (session->dead()) metrics_.broken.add();
  if (session->dead() || session->queue_count() >= max_queues_per_session) {
    session.reset(); // outside the lock: closing may take a while
  }
  const Lock lock(mutex_);
  if (session != nullptr && !closed_) {
    idle_.push_back(std::move(session));
  } else {
    --existing_;
  }
  returned_.notify_one();
}

void SessionPool::service_idle(Deadline deadline) {
  std::vector<std::unique_ptr<plugin::Session>> due;
  {
    const Lock lock(mutex_);
    const auto unused_since = steady_clock::now() - std::chrono::milliseconds(500);
    const auto split = std::stable_partition(idle_.begin(), idle_.end(), [&](const auto& session) {
      return session->last_used() > unused_since;
    });
    std::move(split, idle_.end(), std::back_inserter(due));
    idle_.erase(split, idle_.end());
  }
  for (auto& session : due) {
    session->service(deadline); // its error is that of the next call, too
    give_back(std::move(session));
  }
}

void SessionPool::turn_away() {
  const Lock lock(mutex_);
  ++turned_away_;
  returned_.notify_all();
}

void SessionPool::close() {
  std::vector<std::unique_ptr<plugin::Session>> closing;
  {
    const Lock lock(mutex_);
    closed_ = true;
    existing_ -= idle_.size();
    closing.swap(idle_);
    returned_.notify_all();
  }
}

} // namespace swapmq::queue
