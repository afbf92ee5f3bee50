// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

namespace swapmq::queue {

/// The wall clock, as messages carry it: milliseconds since 1970-01-01 UTC.
inline std::int64_t unix_now_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

/// A duration that a caller gave, within what can be added to a time: "for ever" is a century.
inline std::chrono::milliseconds bounded(std::chrono::milliseconds duration) {
  constexpr std::chrono::milliseconds century = std::chrono::hours(24 * 36525);
  return std::clamp(duration, std::chrono::milliseconds(0), century);
}

/// When a timeout that a caller gave ends.
inline std::chrono::steady_clock::time_point deadline_after(std::chrono::milliseconds timeout) {
  return std::chrono::steady_clock::now() + bounded(timeout);
}

} // namespace swapmq::queue
