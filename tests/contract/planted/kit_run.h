// SPDX-License-Identifier: MIT
//
// The contract kit, run on the planted backend, and what it said.
#pragma once

#include <map>
#include <string>

namespace planted {

/// What the kit said of a run: the failing tests, and why, in one line each.
struct Verdict {
  int exit_code = -1;
  std::map<std::string, std::string> failed;
  std::string output; ///< of both streams
};

/// With each test in a process of its own; `more` are further arguments.
Verdict run_kit(const std::string& options, const std::string& filter,
                const std::string& more = "--isolate");

struct ListedRule {
  std::string text, source;
};
/// What --list says of every test.
std::map<std::string, ListedRule> listed_rules();

} // namespace planted
