// SPDX-License-Identifier: MIT
//
// Deadlines made from other times.
#pragma once

#include <algorithm>
#include <chrono>

#include "swapmq/backend.hpp"

namespace swapmq::network {

inline backend::Deadline deadline_at(backend::Deadline::Clock::time_point at) {
  return backend::Deadline(at.time_since_epoch().count());
}

inline backend::Deadline in(std::chrono::nanoseconds time) {
  return deadline_at(backend::Deadline::Clock::now() + time);
}

/// The deadline, but not before so much time from now: for what must be done all the same.
inline backend::Deadline at_least(backend::Deadline deadline, std::chrono::nanoseconds time) {
  return deadline_at(std::max(deadline.at(), in(time).at()));
}

/// The deadline, but not after so much time from now.
inline backend::Deadline at_most(backend::Deadline deadline, std::chrono::nanoseconds time) {
  return deadline_at(std::min(deadline.at(), in(time).at()));
}

} // namespace swapmq::network
