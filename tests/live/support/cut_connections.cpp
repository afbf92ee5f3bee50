// SPDX-License-Identifier: MIT
#include "cut_connections.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "accounts.hpp"
#include "expect_tally.hpp"
#include "open_queue.hpp"
#include "traffic.hpp"

namespace swapmq::live {

namespace {

constexpr auto kTimeout = milliseconds(10'000);
constexpr std::uint64_t kMostBytes = 2000; // of what one publish exchanges

void expect_confirmed(const Sent& sent, std::uint64_t bytes) {
  EXPECT_TRUE(sent) << "cut after " << bytes << ": " << to_string(sent.outcome()) << ", "
                    << sent.error().message();
}

} // namespace

void cut_publishing_at_each_byte(Proxy& proxy, Way way, const std::string& through,
                                 const std::string& direct) {
  Accounts accounts;
  MessageQueue mq = open_queue(through);
  ASSERT_TRUE(accounts.publish(mq));
  std::uint64_t bytes = 0;
  for (; bytes < kMostBytes; ++bytes) {
    const std::uint64_t before = proxy.faults();
    proxy.cut_after(way, bytes);
    expect_confirmed(accounts.publish(mq), bytes);
    if (proxy.faults() == before) break; // it takes less than that
  }
  EXPECT_GT(bytes, 10U);
  EXPECT_LT(bytes, kMostBytes);
  proxy.heal();
  accounts.expect_all_come(open_queue(direct));
}

void cut_connecting(Proxy& proxy, Way way, const std::string& through, const std::string& direct,
                    std::uint64_t most, std::uint64_t step) {
  Accounts accounts;
  MessageQueue mq = open_queue(through);
  for (std::uint64_t bytes = 0; bytes < most; bytes += step) {
    proxy.drop_all();
    const std::uint64_t before = proxy.faults();
    proxy.cut_after(way, bytes);
    expect_confirmed(accounts.publish(mq), bytes);
    if (proxy.faults() == before) break;
  }
  proxy.heal();
  accounts.expect_all_come(open_queue(direct));
}

void cut_consuming_at_each_byte(Proxy& proxy, Way way, const std::string& through,
                                const std::string& direct, std::uint64_t most) {
  Accounts accounts;
  MessageQueue publishing = open_queue(direct);
  MessageQueue consuming = open_queue(through);
  auto subscription = consuming.subscribe("tasks");
  ASSERT_TRUE(accounts.publish(publishing));
  accounts.expect_all_come(*subscription);
  for (std::uint64_t bytes = 0; bytes < most; ++bytes) {
    const std::uint64_t before = proxy.faults();
    proxy.cut_after(way, bytes);
    // Several exchanges may be needed until so many bytes have passed.
    const auto deadline = Clock::now() + kTimeout;
    while (proxy.faults() == before && Clock::now() < deadline) {
      ASSERT_TRUE(accounts.publish(publishing));
      accounts.take(*subscription);
    }
    ASSERT_GT(proxy.faults(), before) << "after " << bytes;
  }
  proxy.heal();
  accounts.expect_all_come(*subscription);
}

void leave_silent_connections(Proxy& proxy, const std::string& through) {
  Traffic traffic(through);
  for (int round = 0; round < 4; ++round) {
    ASSERT_TRUE(traffic.flows()) << "in round " << round;
    proxy.swallow(round % 2 == 0 ? Way::replies : Way::requests);
  }
  ASSERT_TRUE(traffic.flows());
  expect_nothing_lost(traffic.finish());
}

void leave_a_black_hole(Proxy& proxy, const std::string& through, const std::string& direct) {
  Accounts accounts;
  MessageQueue mq = open_queue(through);
  ASSERT_TRUE(accounts.publish(mq));
  for (const Way way : {Way::replies, Way::requests}) {
    proxy.hold(way);
    const Sent sent = mq.publish("tasks", "body", {.timeout = milliseconds(1000)});
    EXPECT_FALSE(sent);
    EXPECT_EQ(sent.outcome(), Outcome::in_doubt) << sent.error().message();
    proxy.release(way);
    const Sent next = accounts.publish(mq);
    EXPECT_TRUE(next) << next.error().message();
  }
  proxy.heal();
  accounts.expect_all_come(open_queue(direct));
}

} // namespace swapmq::live
