// SPDX-License-Identifier: MIT
//
// Waiting that ends: for a condition, and at a deadline at the latest.
#pragma once

#include <poll.h>

#include <algorithm>
#include <chrono>

namespace swapmq::live {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// What is left, as poll() takes it.
inline int left_ms(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, 600'000));
}

/// Looks again and again until the condition holds or the time is over; whether it held. For what
/// nothing announces, such as the state of another process.
template <class Condition>
bool await(const Condition& condition, milliseconds timeout = milliseconds(10'000)) {
  const auto deadline = Clock::now() + timeout;
  while (!condition()) {
    if (Clock::now() >= deadline) return false;
    ::poll(nullptr, 0, 2);
  }
  return true;
}

} // namespace swapmq::live
