// SPDX-License-Identifier: MIT
//
// The contract kit: a program of its own, installed beside this one.
#pragma once

#include <string>
#include <vector>

#include "exit_code.h"

namespace swapmq::host {

struct KitRun {
  std::string plugin;         ///< a path, or a name that the kit looks for itself
  std::string options;        ///< JSON
  std::string only;           ///< a pattern of tests; empty: all
  std::string broker_control; ///< a command; empty: none
  std::string junit;          ///< a file for the result as JUnit XML; empty: none
  bool as_json = false;       ///< standard output is the kit's result alone
  bool quiet = false;
};

ExitCode run_contract_kit(const KitRun& run);
/// Prints the tests of a pattern, empty: all, with their rules, and runs none.
ExitCode list_contract_tests(const std::string& only, bool as_json);

} // namespace swapmq::host
