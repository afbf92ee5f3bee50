// SPDX-License-Identifier: MIT
#pragma once

#include <exception>
#include <functional>
#include <latch>
#include <mutex>
#include <thread>
#include <vector>

namespace bench {

/// Threads that stand ready, so that starting them is no part of what is measured.
class Crew {
 public:
  /// Each thread is to call work(its number, from 0).
  Crew(std::size_t size, std::function<void(std::size_t)> work) : work_(std::move(work)) {
    for (std::size_t i = 0; i < size; ++i) threads_.emplace_back([this, i] { run(i); });
  }
  ~Crew() {
    if (!threads_.empty()) dismissed_ = true, start_and_join();
  }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  /// Once: returns when all have ended; throws what one of them threw.
  void go() {
    start_and_join();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void run(std::size_t number) {
    start_.wait();
    if (dismissed_) return;
    try {
      work_(number);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
    }
  }
  void start_and_join() {
    start_.count_down();
    for (std::thread& thread : threads_) thread.join();
    threads_.clear();
  }

  const std::function<void(std::size_t)> work_;
  std::latch start_{1};
  bool dismissed_ = false;
  std::mutex mutex_;
  std::exception_ptr failure_;
  std::vector<std::thread> threads_;
};

} // namespace bench
