// SPDX-License-Identifier: MIT
//
// What interrupt() touches: a descriptor that a waiting session polls beside its connections.
#pragma once

#include <atomic>

#include "swapmq/backend.hpp"

namespace swapmq::network {

/// Any thread may raise(); the session's thread does the rest. Sticky: raised before the wait, it
/// ends the wait.
class Wake {
 public:
  Wake();
  ~Wake();
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;

  void raise() noexcept;
  /// Whether it was raised since the last time; lowers it. Costs nothing if it was not.
  bool take() noexcept { return raised_.load() && lower(); }
  /// The same, for when fd() was readable, which it may be shortly after it was lowered.
  bool lower() noexcept;
  /// Readable while it is raised.
  [[nodiscard]] int fd() const { return fd_; }

 private:
  int fd_;
  // So that a session that was not interrupted pays no system call to know it.
  std::atomic<bool> raised_{false};
};

} // namespace swapmq::network
