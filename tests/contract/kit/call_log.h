// SPDX-License-Identifier: MIT
//
// The last calls into the plugin, in words, in memory that outlives a crash of the process.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace swapmq::contract {

/// One call, or several of a thread that were all the same.
struct CallSeen {
  std::string call;     ///< "exchange(1 settlement: ack, up to 0 messages, 10 s)"
  std::string returned; ///< "OK, settled: OK"; empty: it has not returned
  double took_ms = 0;   ///< the last of them
  std::uint32_t times = 1;
  std::uint32_t thread = 1; ///< 1 is the test's own
  bool failing = false;     ///< the one that the failure came from
};

/// "exchange(up to 1 message, 50 ms) -> OK, nothing, 50.1 ms (3 times)".
std::string to_line(const CallSeen& seen);

/// A call, on the stack of who makes it.
class CallUnderWay {
 public:
  explicit CallUnderWay(std::string_view call);
  ~CallUnderWay();
  CallUnderWay(const CallUnderWay&) = delete;
  CallUnderWay& operator=(const CallUnderWay&) = delete;

  /// What it gave, which may be why the test fails. Without it, it gave nothing.
  void returned(std::string_view what) { returned_ = what; }
  /// It is of no interest once it has returned.
  void leave_no_trace() { traceless_ = true; }

 private:
  int lane_; // -1: not logged
  std::string returned_;
  bool traceless_ = false;
};

/// Begins to log: in a file, for another process to read, or if `file` is empty for this one. False
/// if the file cannot be made.
bool log_calls(const std::string& file);
/// A test begins: what was before is not about it.
void forget_calls();
/// A failure comes up; one that is thrown is reported later, when what unwinds has made more calls.
void keep_calls_for(std::string_view failure);
/// The last ones, oldest first, for a failure of this thread with this text: of the test's own
/// thread those of all threads, else its own.
std::vector<CallSeen> calls_before(std::string_view failure);
/// Those of all threads when the process goes no further; failing are those that have not returned.
std::vector<CallSeen> calls_at_the_end();
/// The same of a process that has ended.
std::vector<CallSeen> calls_left_in(const std::string& file);

} // namespace swapmq::contract
