// SPDX-License-Identifier: MIT
#include "watchdog.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "child.h"

namespace swapmq::contract {

namespace {
Watchdog* the_watchdog = nullptr; // set before and cleared after any other thread lives
}

Watchdog::Watchdog(std::chrono::milliseconds hang, std::string clean_up,
                   std::function<std::string(const std::string& test)> explain)
    : hang_(hang),
      clean_up_(std::move(clean_up)),
      explain_(std::move(explain)),
      thread_([this] { watch(); }) {
  the_watchdog = this;
}

Watchdog::~Watchdog() {
  the_watchdog = nullptr;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stop_changed_.notify_all();
  thread_.join();
}

Watchdog::Call::Call(const char* name, Clock::time_point deadline) : name_(name) {
  if (the_watchdog == nullptr) return;
  // A deadline in the past leaves as much time as any other.
  latest_ = std::max(deadline, started_) + the_watchdog->hang_;
  const std::lock_guard lock(the_watchdog->mutex_);
  the_watchdog->calls_.insert(this);
}

Watchdog::Call::~Call() {
  if (the_watchdog == nullptr) return;
  const std::lock_guard lock(the_watchdog->mutex_);
  the_watchdog->calls_.erase(this);
}

void Watchdog::watch() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    if (interrupted()) end_interrupted(clean_up_);
    const auto now = Clock::now();
    for (const Call* call : calls_) {
      if (call->latest_ < now) give_up(*call);
    }
    stop_changed_.wait_for(lock, std::chrono::milliseconds(25));
  }
}

void Watchdog::give_up(const Call& call) {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
  const auto waited = duration_cast<milliseconds>(Clock::now() - call.started_).count();
  const std::string name = test == nullptr
                               ? "outside.of a test"
                               : std::string(test->test_suite_name()) + "." + test->name();
  std::fprintf(stderr, "%s%s: %s() has not returned after %lld ms\n", kHungPrefix, name.c_str(),
               call.name_, static_cast<long long>(waited));
  if (explain_) std::fputs(explain_(name).c_str(), stderr);
  std::fflush(nullptr);
  std::error_code ignored; // the process ends here, whatever is left
  if (!clean_up_.empty()) std::filesystem::remove_all(clean_up_, ignored);
  _exit(kHungExit);
}

} // namespace swapmq::contract
