// SPDX-License-Identifier: MIT
//
// A thread for what may take long: loading a plugin, which may even hang, must not stop the
// supervisor's answers.
#pragma once

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <thread>

#include "swapmq/backend_locks.hpp"

namespace swapmq::host {

/// Does jobs one after the other. Any thread, but for the constructor and stop().
class Worker {
 public:
  static constexpr std::size_t most_jobs = 64;

  /// `done` is an eventfd (borrowed) that is written to after each job.
  explicit Worker(int done);
  ~Worker() { stop(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// False: too many wait, or it was stopped.
  [[nodiscard]] bool post(std::function<void()> job) SWAPMQ_EXCLUDES(mutex_);
  /// Those that wait are dropped, and none is taken any more. Waits for the one that is under way;
  /// false: it had not ended by then.
  [[nodiscard]] bool finish(std::chrono::steady_clock::time_point deadline) SWAPMQ_EXCLUDES(mutex_);
  /// The same for as long as it takes, and the end of the thread.
  void stop() SWAPMQ_EXCLUDES(mutex_);

 private:
  void work() SWAPMQ_EXCLUDES(mutex_);
  /// Empty: the end.
  [[nodiscard]] std::function<void()> next() SWAPMQ_EXCLUDES(mutex_);

  const int done_;
  backend::Mutex mutex_;
  backend::Condition posted_, ended_;
  std::deque<std::function<void()>> jobs_ SWAPMQ_GUARDED_BY(mutex_);
  bool working_ SWAPMQ_GUARDED_BY(mutex_) = false;
  bool stopping_ SWAPMQ_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

} // namespace swapmq::host
