// SPDX-License-Identifier: MIT
//
// That nothing of the server stays behind when a signal ends the benchmark.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <string>
#include <thread>

namespace bench {

/// Ends the server and removes its folder when SIGINT, SIGTERM or SIGHUP comes, and then lets the
/// signal do its work. The server is to be left alone meanwhile.
class StopOnSignal {
 public:
  StopOnSignal(pid_t server, std::string folder);
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
