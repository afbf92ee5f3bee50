// SPDX-License-Identifier: MIT
//
// A connection that comes back: how often it is tried, how long it waits, what it throws meanwhile.
#include "network/link.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "network/deadlines.hpp"

namespace swapmq::network {
namespace {

using backend::Deadline;
using backend::Failure;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = Deadline::Clock;

struct FakeConnection {
  bool stale = false;
  [[nodiscard]] bool is_stale() const { return stale; }
};

/// Fails as often as it is told.
class FakeDialer {
 public:
  std::unique_ptr<FakeConnection> dial(Deadline deadline, const Wake* /*wake*/) {
    ++attempts;
    if (attempts == silent_at) {
      std::this_thread::sleep_until(deadline.at());
      throw Failure(SWAPMQ_TIMEOUT, "no answer in time", flags);
    }
    if (to_fail > 0) {
      --to_fail;
      if (loses) throw ConnectionLost("lost while logging in");
      throw Failure(SWAPMQ_UNAVAILABLE, "refused " + std::to_string(attempts), flags);
    }
    return std::make_unique<FakeConnection>();
  }
  [[nodiscard]] const RetryOptions& retry() const { return options; }
  [[nodiscard]] std::string text() const { return "Fake at h:1"; }

  RetryOptions options{3, milliseconds(10), milliseconds(40)};
  int to_fail = 0;
  int attempts = 0;
  bool loses = false; // fails by a connection that is lost
  int silent_at = 0;  // this attempt takes all the time there is
  uint32_t flags = SWAPMQ_ERROR_RETRYABLE;
};

class LinkTest : public testing::Test {
 protected:
  /// What the call throws; empty if nothing.
  template <class Call>
  std::string thrown(Call&& call) {
    try {
      call();
      return {};
    } catch (const Failure& failure) {
      return failure.what();
    }
  }

  FakeDialer dialer;
  const backend::Host host{nullptr};
  Link<FakeConnection, FakeDialer> link{dialer, host};
};

TEST_F(LinkTest, MakesOneConnectionAndKeepsIt) {
  EXPECT_EQ(link.live(), nullptr);
  FakeConnection& made = link.open(in(seconds(10)));
  EXPECT_EQ(link.live(), &made);
  EXPECT_EQ(&link.open(in(seconds(10))), &made);
  EXPECT_EQ(dialer.attempts, 1);
  link.drop();
  EXPECT_EQ(link.live(), nullptr);
  link.open(in(seconds(10)));
  EXPECT_EQ(dialer.attempts, 2);
}

TEST_F(LinkTest, TriesAgainAsOftenAsTheOptionsSay) {
  dialer.to_fail = 3;
  link.open(in(seconds(10)));
  EXPECT_EQ(dialer.attempts, 4);
  link.drop();
  dialer.to_fail = 1000;
  EXPECT_EQ(thrown([&] { link.open(in(seconds(10))); }), "refused 8");
  EXPECT_EQ(dialer.attempts, 8);
}

TEST_F(LinkTest, DoesNotTryAgainWhatCannotPass) {
  dialer.flags = 0;
  dialer.to_fail = 1000;
  EXPECT_EQ(thrown([&] { link.open(in(seconds(10))); }), "refused 1");
}

TEST_F(LinkTest, WaitsLongerAfterEachFailureUpToTheLongest) {
  dialer.options = {6, milliseconds(20), milliseconds(40)};
  dialer.to_fail = 6;
  const auto began = Clock::now();
  link.open(in(seconds(30)));
  // 20, then 40 five times; each at least half of it.
  EXPECT_GE(Clock::now() - began, milliseconds(10 + 5 * 20));
}

TEST_F(LinkTest, WhoHasNoTimeUntilTheNextAttemptHearsWhatTheLastOneFailedWith) {
  dialer.options = {0, seconds(60), seconds(60)};
  dialer.to_fail = 1;
  EXPECT_EQ(thrown([&] { link.open(in(seconds(1))); }), "refused 1");
  const auto began = Clock::now();
  EXPECT_EQ(thrown([&] { link.open(in(seconds(1))); }), "refused 1");
  EXPECT_EQ(thrown([&] { link.open(in(seconds(-1))); }),
            "there was no time to connect to Fake at h:1");
  EXPECT_LT(Clock::now() - began, milliseconds(900));
  EXPECT_EQ(dialer.attempts, 1);
}

TEST_F(LinkTest, WhatIsThrownStaysOfItsKind) {
  dialer.loses = true;
  dialer.to_fail = 1000;
  EXPECT_THROW(link.open(in(seconds(10))), ConnectionLost);
}

TEST_F(LinkTest, AnAttemptWithoutTimeDoesNotHideWhatTheOneBeforeFailedWith) {
  dialer.to_fail = 1;
  dialer.silent_at = 2;
  EXPECT_EQ(thrown([&] { link.open(in(milliseconds(200))); }), "refused 1");
  EXPECT_EQ(dialer.attempts, 2);
  // In another call that is long ago.
  dialer.silent_at = 3;
  EXPECT_EQ(thrown([&] { link.open(in(milliseconds(200))); }), "no answer in time");
}

TEST_F(LinkTest, AServerThatEndsConnectionsAtOnceIsGivenAPause) {
  dialer.options = {0, seconds(60), seconds(60)};
  link.open(in(seconds(1)));
  EXPECT_THROW(link.use(in(seconds(1)), [](auto&) { throw ConnectionLost("gone"); }),
               ConnectionLost);
  EXPECT_EQ(link.live(), nullptr);
  EXPECT_EQ(thrown([&] { link.open(in(seconds(1))); }),
            "Fake at h:1 ends connections as soon as they are used");
  EXPECT_EQ(dialer.attempts, 1);
}

TEST_F(LinkTest, WhatIsNotTheServersDoingIsFollowedByNoPause) {
  dialer.options = {0, seconds(60), seconds(60)};
  EXPECT_EQ(thrown([&] {
              link.use(in(seconds(1)), [](auto&) { throw Failure(SWAPMQ_TIMEOUT, "late"); });
            }),
            "late");
  EXPECT_EQ(link.live(), nullptr);
  EXPECT_EQ(link.use(in(seconds(1)), [](auto&) { return 7; }), 7);
  EXPECT_EQ(dialer.attempts, 2);
}

TEST_F(LinkTest, AStaleConnectionIsMadeAnew) {
  dialer.options.retry_delay = milliseconds(1);
  link.open(in(seconds(1))).stale = true;
  EXPECT_FALSE(link.open(in(seconds(10))).stale);
  EXPECT_EQ(dialer.attempts, 2);
}

TEST_F(LinkTest, AWaitForTheNextAttemptIsInterrupted) {
  dialer.options = {1, seconds(60), seconds(60)};
  dialer.to_fail = 1;
  Wake wake;
  wake.raise();
  EXPECT_THROW(link.open(in(seconds(120)), &wake), Interrupted);
  EXPECT_EQ(dialer.attempts, 1);
}

} // namespace
} // namespace swapmq::network
