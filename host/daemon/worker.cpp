// SPDX-License-Identifier: MIT
#include "daemon/worker.h"

#include <unistd.h>

#include <cstdint>
#include <utility>

namespace swapmq::host {

using backend::Lock;

Worker::Worker(int done) : done_(done), thread_([this] { work(); }) {}

bool Worker::post(std::function<void()> job) {
  const Lock lock(mutex_);
  if (stopping_ || jobs_.size() >= most_jobs) return false;
  jobs_.push_back(std::move(job));
  posted_.notify_one();
  return true;
}

bool Worker::finish(std::chrono::steady_clock::time_point deadline) {
  const Lock lock(mutex_);
  stopping_ = true;
  posted_.notify_one();
  while (working_ && std::chrono::steady_clock::now() < deadline) {
    ended_.wait_until(mutex_, deadline);
  }
  return !working_;
}

void Worker::stop() {
  (void)finish({});
  if (thread_.joinable()) thread_.join();
}

std::function<void()> Worker::next() {
  constexpr std::chrono::minutes period{1}; // no wait is without an end
  const Lock lock(mutex_);
  working_ = false;
  ended_.notify_all();
  while (jobs_.empty() && !stopping_) {
    posted_.wait_until(mutex_, std::chrono::steady_clock::now() + period);
  }
  if (stopping_) return {};
  std::function<void()> job = std::move(jobs_.front());
  jobs_.pop_front();
  working_ = true;
  return job;
}

void Worker::work() {
  while (auto job = next()) {
    job();
    job = {}; // what it holds on to goes before anybody hears of its end
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(done_, &one, sizeof one);
  }
}

} // namespace swapmq::host
