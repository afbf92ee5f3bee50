// SPDX-License-Identifier: MIT
//
// Another program as our child: it never outlives us, however we end.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "deadline.hpp"
#include "descriptor.hpp"

namespace swapmq::live {

/// How a process ended.
struct Exit {
  int code = -1;  ///< -1: by a signal
  int signal = 0; ///< 0: by itself
};

/// To be used by one thread. The kernel kills the child (SIGKILL) when the thread that started it
/// ends, hence also when this process is killed.
class ChildProcess {
 public:
  struct Program {
    std::vector<std::string> arguments; ///< the first is the program, searched in PATH
    /// A file for its output, with nothing as its input; empty: input and output are ours.
    std::string output{};
    /// It does not get the signals of the terminal that ours gets.
    bool own_group = false;
    /// With `output`: a file to read, and another one for its errors.
    std::string input{}, errors{};
  };

  /// Throws std::system_error where it cannot be started, e.g. is not installed.
  explicit ChildProcess(const Program& program);
  /// Kills (SIGKILL) and reaps what still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Nothing happens to one that has ended.
  void signal(int number) const;
  /// How it ended; nothing if it still runs at the deadline.
  std::optional<Exit> wait(Clock::time_point deadline);
  [[nodiscard]] bool running() { return !wait(Clock::now()); }

 private:
  pid_t pid_ = -1;
  Descriptor ends_; // a pidfd: readable once the process has ended
  std::optional<Exit> exit_;
};

} // namespace swapmq::live
