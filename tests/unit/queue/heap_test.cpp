// SPDX-License-Identifier: MIT
//
// What does not grow for as long as a process lives.
#include <malloc.h>

#include "support.h"

namespace {

using namespace test;

std::size_t heap_bytes() { return mallinfo2().uordblks; }

TEST(Heap, QueuesThatAreUsedOnceAndDeletedLeaveNothingBehind) {
  auto mq = open_memory();
  const auto use = [&](int from, int to) {
    for (int i = from; i < to; ++i) {
      const std::string name = "answer-" + std::to_string(i);
      ASSERT_TRUE(mq.publish(name, "x"));
      ASSERT_FALSE(mq.delete_queue(name));
    }
  };
  // Rounds of as many names as are remembered, so that each ends at about the same place.
  constexpr int round = 4096;
  use(0, 3 * round);
  const std::size_t before = heap_bytes();
  use(3 * round, 9 * round);
  const std::size_t after = heap_bytes();
  EXPECT_LT(after, before + 6 * round * 20) << "grew by some bytes for each name";
}

} // namespace
