// SPDX-License-Identifier: MIT
//
// A request to a host, as a value: what the client writes and the desk reads.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "swapmq/swapmq.hpp"

namespace swapmq::host {

struct ControlRequest {
  enum class Do { status, change, cancel, reload, roll_back, forget };
  Do what = Do::status;
  std::string type; ///< of `change`, and so are these; what is not given the config says
  bool dry_run = false;
  std::optional<BacklogPolicy> policy{};
  std::optional<SwitchOrder> order{};
  bool hold_publishes = false;
  bool allow_capability_loss = false;
  std::string backend;  ///< of `forget`
  bool give_up = false; ///< the same
  bool wait = false;    ///< until the switch has ended
  milliseconds timeout{30'000};
};

std::string to_line(const ControlRequest& request);
/// Errors: invalid_argument, with what is wrong.
Result<ControlRequest> control_request_of(std::string_view line);

} // namespace swapmq::host
