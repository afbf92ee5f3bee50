// SPDX-License-Identifier: MIT
//
// What must hold of traffic, whatever broke: what was confirmed is consumed, and what failed is not
// there.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "traffic.hpp"

namespace swapmq::live {

/// And the counts become properties of the test.
inline void expect_nothing_lost(const Tally& tally) {
  EXPECT_THAT(tally.lost, testing::IsEmpty()) << "of " << tally.confirmed << " confirmed";
  EXPECT_THAT(tally.failed_yet_stored, testing::IsEmpty());
  EXPECT_THAT(tally.invented, testing::IsEmpty());
  EXPECT_GT(tally.confirmed, 0U) << testing::PrintToString(tally.errors);
  testing::Test::RecordProperty("confirmed", std::to_string(tally.confirmed));
  testing::Test::RecordProperty("in_doubt", std::to_string(tally.in_doubt));
  testing::Test::RecordProperty("failed", std::to_string(tally.failed));
  testing::Test::RecordProperty("twice", std::to_string(tally.twice.size()));
}

} // namespace swapmq::live
