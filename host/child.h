// SPDX-License-Identifier: MIT
//
// Another program, run to its end.
#pragma once

#include <string>
#include <vector>

#include "swapmq/swapmq.hpp"

namespace swapmq::host {

enum class ChildOutput { to_ours, to_our_stderr };

/// Runs `program` with `args` (its name not among them), which inherits our standard descriptors
/// (standard output as `output` says), and waits. An interruption is passed on to it. Its exit
/// code; the negative number of the signal that killed it; errors: not_found, internal.
Result<int> run_program_to_end(const std::string& program, const std::vector<std::string>& args,
                               ChildOutput output);

} // namespace swapmq::host
