// SPDX-License-Identifier: MIT
//
// A redis-server of our own: a free port, a temporary folder, gone at the end whatever ends it.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>

namespace bench {

class ServerFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class RedisServer {
 public:
  /// fsync: always, everysec or no, of an append-only file; empty: nothing is kept on disk. Throws
  /// ServerFailure. For the main thread: the server dies with the thread that started it.
  explicit RedisServer(const std::string& fsync);
  ~RedisServer() { stop(); }
  RedisServer(const RedisServer&) = delete;
  RedisServer& operator=(const RedisServer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// Ends it and removes its folder. Any thread, any number of times.
  void stop() noexcept;

 private:
  bool try_start(const std::string& fsync);
  void end_process() noexcept;
  [[nodiscard]] std::string last_words() const;

  std::uint16_t port_ = 0;
  std::mutex mutex_;
  std::string folder_;
  pid_t process_ = -1;
};

/// Stops the server when SIGINT, SIGTERM or SIGHUP comes, and then lets the signal do its work.
class StopOnSignal {
 public:
  explicit StopOnSignal(RedisServer& server);
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
