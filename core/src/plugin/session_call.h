// SPDX-License-Identifier: MIT
//
// How every function of a session calls its plugin.
#pragma once

#include <cstdint>
#include <utility>

#include "plugin/call_checker.h"
#include "plugin/call_error.h"
#include "plugin/session.h"

namespace swapmq::plugin {

/// The ABI's deadlines: nanoseconds of CLOCK_MONOTONIC, which steady_clock is.
inline std::int64_t to_ns(Deadline deadline) {
  const auto since = deadline.time_since_epoch();
  return std::chrono::duration_cast<std::chrono::nanoseconds>(since).count();
}

template <class Function>
Error Session::call(const char* slot, const Deadline* deadline, Function&& function) {
  ErrorBuffer buffer;
  swapmq_status status = SWAPMQ_INTERNAL;
  {
    const CallChecker::Scope scope(checker_.get(), slot, deadline);
    status = std::forward<Function>(function)(buffer.lend());
  }
  return call_ended(slot, status, buffer);
}

} // namespace swapmq::plugin
