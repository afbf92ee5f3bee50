// SPDX-License-Identifier: MIT
//
// What the program's exit codes mean, and which error leads to which. Nowhere else is that decided.
#pragma once

#include "swapmq/swapmq.hpp"

namespace swapmq::host {

enum ExitCode : int {
  exit_done = 0,
  exit_failed = 1,      ///< some messages failed or are in doubt, or the request was refused
  exit_usage = 2,       ///< the command line is wrong
  exit_config = 3,      ///< the configuration is wrong
  exit_plugin = 4,      ///< the plugin cannot be used, or breaks its contract
  exit_unreachable = 5, ///< the broker cannot be reached, does not answer or does not let us in
  exit_under_way = 6,   ///< the switch was not over when the timeout passed; it goes on
  exit_interrupted = 130,
};

/// What an error that ends a command exits with.
ExitCode exit_code(Errc code);

/// Whether an error of one message says nothing about the next: then publishing goes on.
bool concerns_one_message(Errc code);

/// What the contract kit's own end means for `swapmq plugin check`; a negative status is the number
/// of the signal that killed it.
ExitCode exit_code_of_kit(int status);

} // namespace swapmq::host
