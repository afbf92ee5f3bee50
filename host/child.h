// SPDX-License-Identifier: MIT
//
// Another program, run to its end.
#pragma once

#include <string>
#include <vector>

#include "swapmq/swapmq.hpp"

namespace swapmq::host {

/// Runs `program` with `args` (its name not among them), which inherits our standard descriptors,
/// and waits. An interruption is passed on to it. Its exit code; the negative number of the signal
/// that killed it; errors: not_found, internal.
Result<int> run_program_to_end(const std::string& program, const std::vector<std::string>& args);

} // namespace swapmq::host
