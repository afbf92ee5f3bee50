// SPDX-License-Identifier: MIT
//
// Other processes of the kit: acting out a scenario with the same backend and options, to be
// killed; and the processes of --isolate.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace swapmq::contract {

using std::chrono::milliseconds;

/// How a process ended.
struct Ended {
  bool timed_out = false; ///< and was killed
  int exit_code = -1;     ///< -1: by a signal
  int signal = 0;
};

/// From now on SIGINT, SIGTERM and SIGHUP only set interrupted().
void catch_interruptions();
bool interrupted();
/// Ends the processes that were started, removes the folder (empty: none) and exits with 130. They
/// are asked first, so that they can do the same to theirs.
[[noreturn]] void end_interrupted(const std::string& folder);
/// While it is held, end_interrupted waits: whoever changes the folder that this removes holds it,
/// or something of it would stay behind.
[[nodiscard]] std::unique_lock<std::mutex> hold_off_end();

class Process {
 public:
  /// Its output comes here; it sees its stdin end when this process ends. Throws Breach if it
  /// cannot be started.
  Process(const std::string& program, std::vector<std::string> arguments, bool with_stderr);
  /// Runs this very program.
  explicit Process(std::vector<std::string> arguments, bool with_stderr);
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process(); ///< kills and reaps what still runs

  /// The next line of its output; nothing at its end or at the deadline.
  std::optional<std::string> read_line(std::chrono::steady_clock::time_point deadline);
  /// Reads all that it writes, of which the last `most` bytes are kept, until it ends.
  Ended wait(std::chrono::steady_clock::time_point deadline, std::size_t most, std::string& output);
  void kill_now();

 private:
  bool fill(std::chrono::steady_clock::time_point deadline); ///< false: end or deadline
  Ended reap();

  pid_t pid_ = -1;
  int stdin_ = -1;
  int output_ = -1;
  std::string buffer_;
};

/// A scenario of scenarios.cpp in another process, with the backend of this run.
class Child : public Process {
 public:
  explicit Child(const std::string& scenario, const std::vector<std::string>& arguments);

  /// A line that it must say; Breach if it does not.
  std::string expect_line();
};

/// Acts out the scenario that main was asked for; its exit code.
int act_out(const std::string& scenario, const std::vector<std::string>& arguments);

} // namespace swapmq::contract
