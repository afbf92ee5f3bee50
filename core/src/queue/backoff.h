// SPDX-License-Identifier: MIT
#pragma once

#include <algorithm>
#include <chrono>
#include <random>

namespace swapmq::queue {

/// Exponential backoff with full jitter: each pause is random between half and all of a bound that
/// doubles up to a ceiling, so that hosts that lost the same broker do not return in step.
class Backoff {
 public:
  using Milliseconds = std::chrono::milliseconds;

  explicit Backoff(Milliseconds first = Milliseconds(20), Milliseconds ceiling = Milliseconds(2000))
      : first_(first), ceiling_(ceiling), bound_(first) {}

  /// The pause before the next attempt; at least what the broker asked for.
  Milliseconds next(Milliseconds at_least = Milliseconds(0)) {
    thread_local std::minstd_rand random(std::random_device{}());
    std::uniform_int_distribution<std::int64_t> spread(bound_.count() / 2, bound_.count());
    const Milliseconds pause(spread(random));
    bound_ = std::min(bound_ * 2, ceiling_);
    return std::max(pause, at_least);
  }
  void reset() { bound_ = first_; }

 private:
  Milliseconds first_, ceiling_, bound_;
};

} // namespace swapmq::queue
