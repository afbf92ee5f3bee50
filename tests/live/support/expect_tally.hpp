// SPDX-License-Identifier: MIT
//
// What must hold of traffic, whatever broke: what was confirmed is consumed, and what failed is not
// there.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstddef>
#include <iostream>
#include <string>

#include "traffic.hpp"

namespace swapmq::live {

/// And the counts are printed, and become properties of the test. `of` tells several tallies of one
/// test apart.
inline void expect_nothing_lost(const Tally& tally, const std::string& of = {}) {
  EXPECT_THAT(tally.lost, testing::IsEmpty()) << "of " << tally.confirmed << " confirmed";
  EXPECT_THAT(tally.failed_yet_stored, testing::IsEmpty());
  EXPECT_THAT(tally.invented, testing::IsEmpty());
  EXPECT_GT(tally.confirmed, 0U) << testing::PrintToString(tally.errors);
  const auto record = [&](const std::string& what, std::size_t count) {
    testing::Test::RecordProperty(of + what, std::to_string(count));
  };
  record("confirmed", tally.confirmed);
  record("in_doubt", tally.in_doubt);
  record("failed", tally.failed);
  record("twice", tally.twice.size());
  record("lost", tally.lost.size());
  std::cout << of << (of.empty() ? "" : ": ") << "confirmed " << tally.confirmed << ", in doubt "
            << tally.in_doubt << ", failed " << tally.failed << ", twice " << tally.twice.size()
            << ", lost " << tally.lost.size() << '\n';
}

} // namespace swapmq::live
