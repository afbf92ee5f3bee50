// SPDX-License-Identifier: MIT
//
// Ends the process when a call into the plugin does not return: says which call of which test, and
// exits with kHungExit. Ends it also when it was interrupted. One thread, started once and joined
// at exit of main.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace swapmq::contract {

inline constexpr int kHungExit = 70;
/// How a line that tells of a hang begins.
inline constexpr char kHungPrefix[] = "HUNG ";

class Watchdog {
 public:
  using Clock = std::chrono::steady_clock;

  /// `clean_up` is a folder to remove before the end; empty: none. `explain` is what else to say of
  /// a hang in a test; empty: nothing.
  Watchdog(std::chrono::milliseconds hang, std::string clean_up,
           std::function<std::string(const std::string& test)> explain = {});
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// A call that must have returned `hang` after `deadline`. On the caller's stack.
  class Call {
   public:
    Call(const char* name, Clock::time_point deadline);
    ~Call();
    Call(const Call&) = delete;
    Call& operator=(const Call&) = delete;

   private:
    friend class Watchdog;
    const char* name_;
    Clock::time_point started_ = Clock::now();
    Clock::time_point latest_;
  };

 private:
  void watch();
  [[noreturn]] void give_up(const Call& call);

  const std::chrono::milliseconds hang_;
  const std::string clean_up_;
  const std::function<std::string(const std::string& test)> explain_;
  std::mutex mutex_;
  std::condition_variable stop_changed_;
  std::set<const Call*> calls_; // guarded by mutex_, as is stop_
  bool stop_ = false;
  std::thread thread_;
};

} // namespace swapmq::contract
