// SPDX-License-Identifier: MIT
//
// Asks a host.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "daemon/control_request.h"
#include "swapmq/swapmq.hpp"

namespace swapmq::host {

/// The last line of what a host answered.
struct ControlAnswer {
  std::string line; ///< whole, without its newline
  bool ok = false;
  bool under_way = false;   ///< it was not over when the timeout passed
  std::uint64_t number = 0; ///< of the switch that was asked for; 0: none
  Error error;
  std::string status, reload; ///< JSON; empty: not told
};

/// Waits for the answer, somewhat longer than the host was told to, and no longer once the program
/// is interrupted. `on_progress` is given the status, as JSON, of each line before the last.
/// Errors: those of connect_to_control_socket(); unavailable, the host went away; timeout;
/// interrupted.
Result<ControlAnswer> ask_host(const std::string& state_dir, const ControlRequest& request,
                               const std::function<void(const std::string& status)>& on_progress);

/// How it is doing, for a command that needs to know; `status` of the answer.
Result<ControlAnswer> ask_status(const std::string& state_dir, std::chrono::milliseconds patience);

} // namespace swapmq::host
