// SPDX-License-Identifier: MIT
//
// The connection breaks at every byte, or is silent: what was confirmed is consumed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "../support/accounts.hpp"
#include "../support/cut_connections.hpp"
#include "../support/expect_tally.hpp"
#include "../support/proxy.hpp"
#include "../support/traffic.hpp"
#include "one_broker.hpp"
#include "rabbitmq_app.hpp"

namespace swapmq::live {
namespace {

class WireFaults : public OneBroker {
 protected:
  static RabbitmqApp direct() { return {broker().options()}; }
  RabbitmqApp through_proxy() {
    RabbitmqApp app = direct();
    app.broker.port = proxy_.port();
    app.broker.more = R"("connection_timeout_seconds":1,"retry_delay_seconds":0.001)";
    app.more = R"(,"max_retries":1000000,"retry_delay_seconds":0)";
    return app;
  }

  Proxy proxy_{broker().port()};
};

class WireFaultsOfAWay : public WireFaults, public testing::WithParamInterface<Way> {};

TEST_P(WireFaultsOfAWay, PublishingIsCutAtEachByte) {
  cut_publishing_at_each_byte(proxy_, GetParam(), through_proxy().json(), direct().json());
}

/// Login, channels, declaring.
TEST_P(WireFaultsOfAWay, ConnectingIsCut) {
  cut_connecting(proxy_, GetParam(), through_proxy().json(), direct().json(), 2000, 9);
}

/// A delivery, or an ack and what follows it, has less than so many bytes.
TEST_P(WireFaultsOfAWay, ConsumingIsCutAtEachByte) {
  cut_consuming_at_each_byte(proxy_, GetParam(), through_proxy().json(), direct().json(), 250);
}

/// RST, as of a broker's machine that started again, or of something in between. Publishing and
/// consuming have a way each.
TEST_P(WireFaultsOfAWay, ResetAgainAndAgainUnderTraffic) {
  Proxy behind(broker().port());
  RabbitmqApp consuming = through_proxy();
  consuming.broker.port = behind.port();
  Traffic traffic(through_proxy().json(), consuming.json(), {});
  for (std::uint64_t round = 0; round < 50; ++round) {
    ASSERT_TRUE(traffic.flows(20, milliseconds(30'000))) << "in round " << round;
    for (Proxy* proxy : {&proxy_, &behind}) {
      proxy->reset_after(GetParam(), round * 67 % 2003); // anywhere in frames of a few hundred
    }
    for (const Proxy* proxy : {&proxy_, &behind}) {
      ASSERT_TRUE(proxy->await_that([&](const Proxy& p) { return p.faults() == round + 1; },
                                    milliseconds(30'000)));
    }
  }
  ASSERT_TRUE(traffic.flows(100, milliseconds(30'000)));
  expect_nothing_lost(traffic.finish());
  expect_broker_is_empty();
}

INSTANTIATE_TEST_SUITE_P(Each, WireFaultsOfAWay, testing::Values(Way::requests, Way::replies),
                         [](const testing::TestParamInfo<Way>& way) {
                           return way.param == Way::requests ? "Requests" : "Replies";
                         });

TEST_F(WireFaults, ASilentConnectionIsLeftForANewOne) {
  RabbitmqApp app = through_proxy();
  app.broker.heartbeat_seconds = 1; // who consumes asks for nothing, so nothing else tells it
  leave_silent_connections(proxy_, app.json());
}

/// The options say how long the broker may be silent where an answer is due, such as a confirm.
TEST_F(WireFaults, APublishLeavesASilentConnectionInTime) {
  Accounts accounts;
  MessageQueue mq = open_queue(through_proxy());
  for (const Way way : {Way::replies, Way::requests}) {
    const Sent first = accounts.publish(mq);
    ASSERT_TRUE(first) << first.error().message();
    proxy_.swallow(way);
    const auto began = Clock::now();
    const Sent sent = accounts.publish(mq);
    EXPECT_TRUE(sent) << sent.error().message();
    EXPECT_LT(Clock::now() - began, milliseconds(5000));
  }
  proxy_.heal();
  accounts.expect_all_come(open_queue(direct()));
}

TEST_F(WireFaults, ABlackHoleIsNoticedAndLeft) {
  leave_a_black_hole(proxy_, through_proxy().json(), direct().json());
}

class WireFaultsOfAType : public WireFaults, public testing::WithParamInterface<const char*> {};

/// Under load the broker's word on an ack is a delivery that the prefetch would not allow without;
/// at the end of the queue it is asked. In both cases it holds when the connection breaks just
/// then.
TEST_P(WireFaultsOfAType, WhatIsSaidToBeSettledDoesNotComeAgain) {
  constexpr std::size_t kMessages = 4000, kPrefetch = 64;
  RabbitmqApp app = through_proxy();
  app.broker.queue_type = GetParam();
  MessageQueue mq = open_queue(app);
  for (const Sent& sent :
       mq.publish_many("tasks", std::vector<Message>(kMessages, {.body = "x"}))) {
    ASSERT_TRUE(sent) << sent.error().message();
  }
  auto subscription = mq.subscribe("tasks", {.prefetch = kPrefetch});
  ASSERT_TRUE(subscription) << subscription.error().message();
  std::set<std::string> settled;
  const auto deadline = Clock::now() + milliseconds(60'000);
  for (int round = 1; settled.size() < kMessages && Clock::now() < deadline; ++round) {
    const auto got = subscription->receive(kPrefetch, milliseconds(500));
    if (!got) continue; // cut
    for (const Delivery& delivery : *got) delivery.ack();
    for (const Delivery& delivery : *got) {
      EXPECT_FALSE(settled.contains(std::string(delivery.id()))) << "settled, and here again";
      if (!delivery.wait_settled(milliseconds(10'000))) settled.emplace(delivery.id());
    }
    if (round % 5 == 0) proxy_.drop_all();
  }
  EXPECT_EQ(settled.size(), kMessages);
}

INSTANTIATE_TEST_SUITE_P(Of, WireFaultsOfAType, testing::Values("quorum", "classic"),
                         [](const auto& type) { return std::string(type.param); });

/// Each is followed by enough that no frame is just not whole yet, which would be silence.
std::vector<std::string> nonsense() {
  std::vector<std::string> all{
      "?",
      std::string(8, '\0'),
      std::string("\x01\x00\x01\xff\xff\xff\xff", 7),                      // a frame of 4 GB
      std::string("\x01\x00\x01\x00\x00\x00\x04\x00\x3c\x00\x50X", 12),    // without its end
      std::string("\x01\x00\x63\x00\x00\x00\x04\x00\x3c\x00\x50\xce", 12), // another channel
      std::string("\x09\x00\x00\x00\x00\x00\x00\xce", 8),                  // no type of a frame
      std::string("\x03\x00\x01\x00\x00\x00\x01x\xce", 9),                 // a body alone
      "HTTP/1.1 400 Bad Request\r\n\r\n",
  };
  for (std::string& one : all) one += std::string(64, '\xff');
  return all;
}

TEST_F(WireFaults, NonsenseInsteadOfTheConfirmOfAPublish) {
  Accounts accounts;
  MessageQueue mq = open_queue(through_proxy());
  ASSERT_TRUE(accounts.publish(mq));
  for (const std::string& garbage : nonsense()) {
    for (const std::uint64_t bytes : {0, 9}) {
      proxy_.replace_after(Way::replies, bytes, garbage);
      const Sent sent = accounts.publish(mq);
      EXPECT_TRUE(sent) << testing::PrintToString(garbage) << " after " << bytes << ": "
                        << to_string(sent.outcome()) << ", " << sent.error().message();
    }
  }
  EXPECT_EQ(proxy_.faults(), 2 * nonsense().size());
  proxy_.heal();
  accounts.expect_all_come(open_queue(direct()));
}

} // namespace
} // namespace swapmq::live
