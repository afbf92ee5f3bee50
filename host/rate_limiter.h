// SPDX-License-Identifier: MIT
//
// So many messages a second, evenly. Told the time, never asks for it.
#pragma once

#include <chrono>
#include <cstddef>

namespace swapmq::host {

/// Each message has its slot on the time line, 1/rate after the one before. What was missed may be
/// caught up for a twentieth of a second and is forgotten beyond: a pause is not followed by a
/// burst. Not thread-safe.
class RateLimiter {
 public:
  using Clock = std::chrono::steady_clock;

  /// 0: no limit.
  RateLimiter(double per_second, Clock::time_point now);

  /// How many messages may go now, at most `wanted`.
  [[nodiscard]] std::size_t allowed(std::size_t wanted, Clock::time_point now);
  /// So many went.
  void sent(std::size_t count);
  /// When the next one may go.
  [[nodiscard]] Clock::time_point next() const;

 private:
  using Seconds = std::chrono::duration<double>;

  const Clock::time_point start_;
  const Seconds interval_; ///< zero: no limit
  const Seconds catch_up_;
  Seconds next_{0}; ///< since start_
};

} // namespace swapmq::host
