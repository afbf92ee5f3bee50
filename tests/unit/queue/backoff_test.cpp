// SPDX-License-Identifier: MIT
#include "queue/backoff.h"

#include <gtest/gtest.h>

#include <set>

namespace {

using namespace std::chrono_literals;
using swapmq::queue::Backoff;

TEST(Backoff, GrowsToItsCeilingWithJitter) {
  Backoff backoff(20ms, 2000ms);
  auto bound = 20ms;
  std::set<std::int64_t> late;
  for (int i = 0; i < 60; ++i) {
    const auto pause = backoff.next();
    EXPECT_GE(pause, bound / 2);
    EXPECT_LE(pause, bound);
    bound = std::min(bound * 2, 2000ms);
    if (bound == 2000ms) late.insert(pause.count());
  }
  EXPECT_GT(late.size(), 10U);
  backoff.reset();
  EXPECT_LE(backoff.next(), 20ms);
}

TEST(Backoff, WaitsAtLeastAsLongAsTheBrokerAsked) {
  Backoff backoff(20ms, 2000ms);
  EXPECT_GE(backoff.next(500ms), 500ms);
}

} // namespace
