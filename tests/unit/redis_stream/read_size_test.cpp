// SPDX-License-Identifier: MIT
//
// How many entries are asked for at a time.
#include "read_size.hpp"

#include <gtest/gtest.h>

namespace swapmq::redis {
namespace {

constexpr std::size_t kMiB = 1024 * 1024;

TEST(ReadSizes, AreSmallUntilSomethingIsKnown) {
  EXPECT_EQ(ReadSize(8 * kMiB).entries(), 64U);
  EXPECT_EQ(ReadSize(1024).entries(), 1U);
}

TEST(ReadSizes, AdaptToTheFirstAnswerAtOnce) {
  ReadSize small(8 * kMiB);
  small.came(1, 200);
  EXPECT_EQ(small.entries(), 8 * kMiB / 200);
  ReadSize large(8 * kMiB);
  large.came(4, 16 * kMiB);
  EXPECT_EQ(large.entries(), 2U);
  large.came(1, 100 * kMiB);
  EXPECT_EQ(large.entries(), 1U);
}

TEST(ReadSizes, AreReducedAtOnceAndRaisedLittleByLittle) {
  ReadSize size(8 * kMiB);
  size.came(100, 100 * 1024);
  size.came(1, 1 * kMiB);
  EXPECT_EQ(size.entries(), 8U);
  size.came(8, 8 * 1024);
  EXPECT_EQ(size.entries(), 10U);
  for (int i = 0; i < 50; ++i) size.came(100, 100 * 1024);
  EXPECT_NEAR(static_cast<double>(size.entries()), 8 * 1024.0, 100.0);
}

TEST(ReadSizes, AreReducedByWhatDidNotCome) {
  ReadSize size(8 * kMiB);
  size.came(4096, 4096 * 100);
  size.did_not_come(4096);
  EXPECT_EQ(size.entries(), 512U);
  for (std::size_t asked = 512; asked > 1; asked = size.entries()) {
    size.did_not_come(asked);
    ASSERT_LT(size.entries(), asked);
  }
  size.did_not_come(1); // no fewer than that
  EXPECT_EQ(size.entries(), 1U);
  // What came of one entry says nothing of the many that did not come.
  size.came(1, 100);
  EXPECT_LT(size.entries(), 8U);
}

TEST(ReadSizes, GoOnWhereNothingCame) {
  ReadSize size(8 * kMiB);
  size.came(0, 1000);
  EXPECT_EQ(size.entries(), 64U);
  size.came(10, 0);
  EXPECT_EQ(size.entries(), 8 * kMiB);
}

} // namespace
} // namespace swapmq::redis
