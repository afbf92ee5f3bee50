// SPDX-License-Identifier: MIT
#include "metrics/histogram.h"

#include <gtest/gtest.h>

namespace {

using namespace std::chrono_literals;
using swapmq::metrics::Histogram;

TEST(Histogram, PutsADurationInTheBucketThatBoundsIt) {
  Histogram histogram;
  histogram.observe(0ns);
  histogram.observe(1us);
  histogram.observe(1001ns);
  histogram.observe(2us);
  histogram.observe(3us, 5);
  histogram.observe(1h);
  EXPECT_EQ(histogram.in_bucket(0), 2U);
  EXPECT_EQ(histogram.in_bucket(1), 2U);
  EXPECT_EQ(histogram.in_bucket(2), 5U);
  EXPECT_EQ(histogram.in_bucket(Histogram::bucket_count - 1), 1U);
  EXPECT_DOUBLE_EQ(Histogram::upper_bound_seconds(1), 2e-6);
  EXPECT_NEAR(histogram.sum_seconds(), 3600.0 + 19.001e-6, 1e-6);
}

} // namespace
