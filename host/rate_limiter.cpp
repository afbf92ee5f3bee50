// SPDX-License-Identifier: MIT
#include "rate_limiter.h"

#include <algorithm>
#include <cmath>

namespace swapmq::host {

RateLimiter::RateLimiter(double per_second, Clock::time_point now)
    : start_(now), interval_(per_second > 0 ? 1 / per_second : 0), catch_up_(0.05) {}

std::size_t RateLimiter::allowed(std::size_t wanted, Clock::time_point now) {
  if (interval_.count() <= 0) return wanted;
  const Seconds since_start = now - start_;
  next_ = std::max(next_, since_start - catch_up_);
  if (since_start < next_) return 0;
  const double slots = std::floor((since_start - next_) / interval_) + 1;
  return slots >= static_cast<double>(wanted) ? wanted : static_cast<std::size_t>(slots);
}

void RateLimiter::sent(std::size_t count) { next_ += interval_ * static_cast<double>(count); }

RateLimiter::Clock::time_point RateLimiter::next() const {
  return start_ + std::chrono::ceil<Clock::duration>(next_);
}

} // namespace swapmq::host
