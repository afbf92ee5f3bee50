// SPDX-License-Identifier: MIT
//
// That nothing of the server stays behind when a signal ends the benchmark.
#pragma once

#include <atomic>
#include <thread>

#include "../../live/redis/redis_server.hpp"

namespace bench {

/// Ends the server and removes its folder when SIGINT, SIGTERM or SIGHUP comes, and then lets the
/// signal do its work. The server is to be left alone meanwhile.
class StopOnSignal {
 public:
  explicit StopOnSignal(const swapmq::live::RedisServer& server);
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

  /// So that the signals wait for the object. Before any thread is started.
  static void hold_back();

 private:
  std::atomic<bool> over_ = false;
  std::thread thread_;
};

} // namespace bench
