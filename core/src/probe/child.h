// SPDX-License-Identifier: MIT
//
// A program that is run to its end, and no longer than it may.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "swapmq/swapmq.hpp"

namespace swapmq::probe {

struct ChildSetup {
  std::string program;
  std::string input; ///< its standard input; kept in memory, by nobody else to be read
  int extra = -1;    ///< becomes its descriptor 3; its only one but the standard ones
  std::chrono::steady_clock::time_point deadline;
  std::function<bool()> given_up; ///< looked at now and then; may be empty
};

struct ChildEnd {
  std::string output;        ///< its standard output, 64 kB of it at most
  std::optional<int> status; ///< it exited by itself
  std::optional<int> signal; ///< that killed it
  bool late = false;         ///< we killed it, since the deadline passed
  bool given_up = false;     ///< we killed it, since nobody waits for it
};

/// In a process group of its own, all of which is killed when it has ended. Any thread; blocks up
/// to the deadline and a moment. Where the program of this process reaps children that are not its
/// own, there is neither status nor signal. Errors: resource_exhausted, unavailable: it could not
/// be started.
Result<ChildEnd> run_child(const ChildSetup& setup);

} // namespace swapmq::probe
