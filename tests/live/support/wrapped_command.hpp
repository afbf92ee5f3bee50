// SPDX-License-Identifier: MIT
//
// The command of a wrapper program: it gets the wrapper's signals, and its end is the wrapper's.
#pragma once

#include <signal.h>

#include <string>
#include <vector>

#include "child_process.hpp"

namespace swapmq::live {

/// How wrapper programs exit if not with the exit code of their command.
inline constexpr int kUsage = 2;
inline constexpr int kNoServer = 125; ///< as env and its like
inline constexpr int kNoCommand = 127;

/// Signals that come to this process, taken one after the other instead of interrupting it. To be
/// made before any thread and any child.
class Signals {
 public:
  Signals();
  /// The next one within a second; si_signo 0: none.
  [[nodiscard]] siginfo_t next() const;

 private:
  sigset_t set_{};
};

/// Runs it until it ends, passing on signals; one that was told to end and does not is killed.
/// Returns its exit code, 128 + N if signal N ended it. Throws std::system_error where it cannot be
/// started.
int run_wrapped(const std::vector<std::string>& command, const Signals& signals);

} // namespace swapmq::live
