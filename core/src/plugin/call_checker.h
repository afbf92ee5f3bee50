// SPDX-License-Identifier: MIT
//
// On demand (SWAPMQ_CHECK_PLUGIN_CALLS=1 in the environment, or check_plugin_calls()) looks at the
// calls of a session for what the ABI forbids and no return value shows: calls that overlap, calls
// that overran their deadline, calls that waited though they may not. Findings go to the log of the
// host, as errors, and are counted as "plugin_call_findings".
#pragma once

#include <atomic>
#include <chrono>
#include <string>
#include <string_view>

#include "plugin/session.h"

namespace swapmq::plugin {

/// For sessions and backends opened from now on; overrides the environment. [any-thread]
void check_plugin_calls(bool on);
bool plugin_calls_are_checked();

class CallChecker {
 public:
  static constexpr std::chrono::milliseconds kOverrun{100}; ///< tolerated after a deadline
  static constexpr std::chrono::milliseconds kBlocked{50};  ///< tolerated where none may block

  /// `sink` outlives it.
  CallChecker(std::string plugin, HostSink& sink) : plugin_(std::move(plugin)), sink_(sink) {}

  enum class Threads { session, any };

  /// From construction to destruction a call is under way. A null checker checks nothing.
  class Scope {
   public:
    /// `slot` is a literal. `deadline` null: the call may not block.
    Scope(CallChecker* checker, const char* slot, const Deadline* deadline,
          Threads threads = Threads::session)
        : checker_(checker) {
      if (checker_ != nullptr) begin(slot, deadline, threads);
    }
    ~Scope() {
      if (checker_ != nullptr) end();
    }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    void begin(const char* slot, const Deadline* deadline, Threads threads);
    void end() noexcept;

    CallChecker* checker_;
    const char* slot_ = nullptr;
    Deadline began_{};
    Deadline allowed_{};
    bool may_block_ = false;
    bool exclusive_ = false;
  };

 private:
  void report(std::string_view finding) noexcept;

  const std::string plugin_;
  HostSink& sink_;
  std::atomic<const char*> running_{nullptr}; ///< the [session-thread] call under way
};

} // namespace swapmq::plugin
