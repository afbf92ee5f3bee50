// SPDX-License-Identifier: MIT
//
// A real Redis server of a test's own: on a free port, in a folder of its own, ended with the test.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "../support/child_process.hpp"
#include "../support/port.hpp"
#include "../support/temp_folder.hpp"
#include "redis_setup.hpp"
#include "resp.hpp"

namespace swapmq::live {

/// Whatever its set-up, the server also listens on a Unix socket in its folder, where the tests
/// look and command as the user kAdmin. To be started anew by the thread that made it, which must
/// outlive it: the kernel ends the server with that thread. Functions throw std::runtime_error.
class RedisServer {
 public:
  /// Starts it and awaits that it answers. What it said is in the exception if it does not.
  explicit RedisServer(RedisSetup setup = {});

  /// What the plugin needs to be told; also while the server is down.
  [[nodiscard]] RedisOptions options() const;
  [[nodiscard]] int port() const { return port_ ? port_->number() : 0; }
  [[nodiscard]] const TempFolder& folder() const { return folder_; }
  [[nodiscard]] std::string socket() const { return folder_ / "redis.sock"; }
  [[nodiscard]] pid_t pid() const { return process_ ? process_->pid() : 0; }
  [[nodiscard]] bool running() { return process_ && process_->running(); }
  /// What it wrote, its last lines.
  [[nodiscard]] std::string log() const;

  /// Runs a command in a connection of its own; the reply as text, see resp::Value::to_text.
  [[nodiscard]] std::string command(const std::vector<std::string>& words) const;
  resp::Value ask(const std::vector<std::string>& words) const;
  /// A field of INFO; empty if there is none.
  [[nodiscard]] std::string info(std::string_view field) const;

  /// As kill -9; returns when it has ended.
  void kill();
  /// Starts it again after kill(), on the same port and with what its folder holds.
  void restart();
  void pause() const;  ///< SIGSTOP
  void resume() const; ///< SIGCONT

 private:
  void write_config() const;
  [[nodiscard]] std::string config() const;
  bool start(); ///< false: its port is taken
  [[nodiscard]] bool answers() const;

  RedisSetup setup_;
  TempFolder folder_{"swapmq-redis"};
  std::thread::id starter_ = std::this_thread::get_id();
  std::optional<ReservedPort> port_;
  std::unique_ptr<ChildProcess> process_; // ends before its folder and its port are given up
};

} // namespace swapmq::live
