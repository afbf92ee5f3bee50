// SPDX-License-Identifier: MIT
#pragma once

#include <chrono>
#include <cstdint>

namespace swapmq::queue {

/// The wall clock, as messages carry it: milliseconds since 1970-01-01 UTC.
inline std::int64_t unix_now_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

} // namespace swapmq::queue
