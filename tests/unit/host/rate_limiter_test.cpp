// SPDX-License-Identifier: MIT
#include "rate_limiter.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace swapmq::host {
namespace {

using namespace std::chrono_literals;
using Clock = RateLimiter::Clock;
constexpr Clock::time_point start{};

/// Sends whatever is allowed, as often as the limiter says, until `until`.
std::size_t send_for(RateLimiter& limiter, Clock::duration until, std::size_t* most_at_once) {
  std::size_t sent = 0;
  for (Clock::time_point now = start; now < start + until; now = std::max(now, limiter.next())) {
    const std::size_t allowed = limiter.allowed(1000, now);
    *most_at_once = std::max(*most_at_once, allowed);
    limiter.sent(allowed);
    sent += allowed;
  }
  return sent;
}

TEST(RateLimiter, NoLimit) {
  RateLimiter limiter(0, start);
  EXPECT_EQ(limiter.allowed(256, start), 256u);
  limiter.sent(256);
  EXPECT_EQ(limiter.allowed(256, start), 256u);
}

TEST(RateLimiter, ExactAndSmooth) {
  for (const double rate : {0.5, 1.0, 50.0, 3000.0}) {
    RateLimiter limiter(rate, start);
    std::size_t most_at_once = 0;
    const std::size_t sent = send_for(limiter, 10s, &most_at_once);
    EXPECT_NEAR(static_cast<double>(sent), rate * 10, 1) << rate;
    EXPECT_EQ(most_at_once, 1u) << rate;
  }
}

TEST(RateLimiter, CatchesUpALittle) {
  RateLimiter limiter(1000, start);
  limiter.sent(limiter.allowed(1, start));
  EXPECT_EQ(limiter.allowed(1000, start + 20ms), 20u) << "20 ms late: 20 messages are due";
}

TEST(RateLimiter, APauseIsNotFollowedByABurst) {
  RateLimiter limiter(1000, start);
  EXPECT_LE(limiter.allowed(100'000, start + 1h), 51u);
  EXPECT_GE(limiter.allowed(100'000, start + 1h), 50u);
}

TEST(RateLimiter, NeverMoreThanWanted) {
  RateLimiter limiter(1e6, start);
  EXPECT_EQ(limiter.allowed(7, start + 1s), 7u);
}

TEST(RateLimiter, SaysWhenTheNextIsDue) {
  RateLimiter limiter(4, start);
  EXPECT_EQ(limiter.allowed(10, start), 1u);
  limiter.sent(1);
  EXPECT_EQ(limiter.allowed(10, start), 0u);
  EXPECT_EQ(limiter.next(), start + 250ms);
  EXPECT_EQ(limiter.allowed(10, start + 250ms), 1u);
}

} // namespace
} // namespace swapmq::host
