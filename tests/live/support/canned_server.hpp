// SPDX-License-Identifier: MIT
//
// A server of another kind: to whatever it is told first it says the same.
#pragma once

#include <atomic>
#include <string>
#include <thread>

#include "port.hpp"

namespace swapmq::live {

/// Listens on a port of 127.0.0.1 until destroyed, on a thread that is joined then.
class CannedServer {
 public:
  enum class Then { wait, close };
  /// Nothing is said where `answer` is empty.
  explicit CannedServer(std::string answer, Then then = Then::wait);
  ~CannedServer();
  CannedServer(const CannedServer&) = delete;
  CannedServer& operator=(const CannedServer&) = delete;

  [[nodiscard]] int port() const { return listener_.port; }
  [[nodiscard]] int accepted() const { return accepted_; } ///< connections

 private:
  void run();

  const std::string answer_;
  const Then then_;
  const Listener listener_;
  std::atomic<int> accepted_{0};
  Descriptor stop_; // an eventfd
  std::thread thread_;
};

} // namespace swapmq::live
