// SPDX-License-Identifier: MIT
//
// Erlang's port mapper, by which nodes find each other: one of our own instead of the machine's.
#pragma once

#include <optional>
#include <string>

#include "../support/child_process.hpp"
#include "../support/port.hpp"

namespace swapmq::live {

/// Ends with this object and with the thread that made it, unlike one that a node starts. It knows
/// only nodes that were told its port.
class Epmd {
 public:
  /// Starts it and awaits that it listens. Throws std::runtime_error where it does not.
  Epmd();
  [[nodiscard]] int port() const { return port_->number(); }
  /// For the nodes here.
  [[nodiscard]] const std::string& cookie() const { return cookie_; }

 private:
  std::string cookie_;
  std::optional<ReservedPort> port_;
  std::optional<ChildProcess> process_; // ends before its port is given up
};

} // namespace swapmq::live
