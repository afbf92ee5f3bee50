// SPDX-License-Identifier: MIT
//
// Running each test in a process of its own, so that a crash or a hang is a finding.
#pragma once

#include <string>
#include <vector>

#include "report.h"

namespace swapmq::contract {

/// "Suite.Name" of every test that GoogleTest's filter lets through.
std::vector<std::string> selected_tests();

/// False, and why, if the backend refuses to open, so that no test could say anything. A crash or
/// a hang in opening is left to the tests.
bool opens(std::string& why);

/// Runs them one after the other, each with a folder of its own below the run's.
std::vector<Finding> run_isolated();

} // namespace swapmq::contract
