// SPDX-License-Identifier: MIT
//
// The contract kit: a program of its own, installed beside this one.
#pragma once

#include <string>
#include <vector>

#include "exit_code.h"

namespace swapmq::host {

/// Runs the kit on a plugin. `plugin` is a path, or a name that the kit looks for itself; `options`
/// is JSON. With `as_json` standard output is the kit's result alone.
ExitCode run_contract_kit(const std::string& plugin, const std::string& options, bool as_json,
                          bool quiet);

} // namespace swapmq::host
