// SPDX-License-Identifier: MIT
//
// The wake: no interrupt is lost or counted twice.
#include "network/wake.hpp"

#include <gtest/gtest.h>
#include <poll.h>

#include <atomic>
#include <thread>

namespace swapmq::network {
namespace {

bool readable(const Wake& wake) {
  pollfd polled{wake.fd(), POLLIN, 0};
  return poll(&polled, 1, 0) == 1;
}

TEST(WakeTest, IsStickyAndTakenOnce) {
  Wake wake;
  EXPECT_FALSE(wake.take());
  EXPECT_FALSE(readable(wake));
  wake.raise();
  wake.raise();
  EXPECT_TRUE(readable(wake));
  EXPECT_TRUE(wake.take());
  EXPECT_FALSE(readable(wake));
  EXPECT_FALSE(wake.take());
  wake.raise();
  EXPECT_TRUE(readable(wake));
  EXPECT_TRUE(wake.take());
}

TEST(WakeTest, NoneOfManyRaisesIsSleptOver) {
  Wake wake;
  constexpr int kTimes = 2000;
  std::atomic<int> answered{0};
  std::thread raiser([&] {
    for (int i = 0; i < kTimes; ++i) {
      wake.raise();
      while (answered.load() <= i) std::this_thread::yield();
    }
  });
  for (int taken = 0; taken < kTimes;) {
    pollfd polled{wake.fd(), POLLIN, 0};
    if (poll(&polled, 1, 10'000) != 1) {
      ADD_FAILURE() << "a raise was slept over";
      answered = kTimes; // so that the other thread ends
      break;
    }
    if (wake.take()) answered = ++taken;
  }
  raiser.join();
}

} // namespace
} // namespace swapmq::network
