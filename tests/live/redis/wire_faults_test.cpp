// SPDX-License-Identifier: MIT
//
// The connection breaks at every byte, or brings nonsense: what was confirmed is consumed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "../support/accounts.hpp"
#include "../support/cut_connections.hpp"
#include "../support/proxy.hpp"
#include "redis_app.hpp"
#include "redis_server.hpp"

namespace swapmq::live {
namespace {

constexpr auto kTimeout = milliseconds(10'000);

class WireFaults : public testing::Test {
 protected:
  AppConfig through_proxy() {
    AppConfig config{server_.options()};
    config.broker.port = proxy_.port();
    config.broker.more =
        R"("connection_timeout_seconds":0.3,"retry_delay_seconds":0.001,"lease_ms":1000)";
    config.more = R"(,"max_retries":1000000,"retry_delay_seconds":0)";
    return config;
  }
  [[nodiscard]] AppConfig direct() const { return {server_.options()}; }
  Sent publish(MessageQueue& mq) { return accounts_.publish(mq); }
  void take(Subscription& subscription) { accounts_.take(subscription); }
  void expect_all_consumed() { accounts_.expect_all_come(open_queue(direct())); }

  RedisServer server_;
  Proxy proxy_{server_.port()};
  Accounts accounts_;
};

class WireFaultsOfAWay : public WireFaults, public testing::WithParamInterface<Way> {};

TEST_P(WireFaultsOfAWay, PublishingIsCutAtEachByte) {
  cut_publishing_at_each_byte(proxy_, GetParam(), through_proxy().json(), direct().json());
}

TEST_P(WireFaultsOfAWay, ConsumingIsCutAtEachByte) {
  cut_consuming_at_each_byte(proxy_, GetParam(), through_proxy().json(), direct().json(), 150);
}

INSTANTIATE_TEST_SUITE_P(Each, WireFaultsOfAWay, testing::Values(Way::requests, Way::replies),
                         [](const testing::TestParamInfo<Way>& way) {
                           return way.param == Way::requests ? "Requests" : "Replies";
                         });

const std::vector<std::string>& nonsense() {
  static const std::vector<std::string> all{
      "?",
      "\r\n",
      std::string(3, '\0'),
      "$-2\r\n",
      "$999999999999999999999\r\n",
      "$2147483647\r\nabc",
      "*2147483647\r\n",
      "*-7\r\n",
      ":12x\r\n",
      "$3\r\nabcde\r\n",
      "*3\r\n*3\r\n*3\r\n*3\r\n",
      "HTTP/1.1 400 Bad Request\r\n\r\n",
      "%1\r\n+a\r\n+b\r\n",
  };
  return all;
}

TEST_F(WireFaults, NonsenseInsteadOfTheAnswerToAPublish) {
  MessageQueue mq = open_queue(through_proxy());
  ASSERT_TRUE(publish(mq));
  for (const std::string& garbage : nonsense()) {
    for (const std::uint64_t bytes : {0, 3}) {
      proxy_.replace_after(Way::replies, bytes, garbage);
      const Sent sent = publish(mq);
      EXPECT_TRUE(sent) << testing::PrintToString(garbage) << " after " << bytes << ": "
                        << to_string(sent.outcome()) << ", " << sent.error().message();
    }
  }
  EXPECT_EQ(proxy_.faults(), 2 * nonsense().size());
  proxy_.heal();
  expect_all_consumed();
}

TEST_F(WireFaults, NonsenseInsteadOfDeliveries) {
  MessageQueue publishing = open_queue(direct());
  MessageQueue disturbed = open_queue(through_proxy());
  auto subscription = disturbed.subscribe("tasks");
  for (const std::string& garbage : nonsense()) {
    for (const std::uint64_t bytes : {0, 9}) {
      const std::uint64_t before = proxy_.faults();
      proxy_.replace_after(Way::replies, bytes, garbage);
      const auto deadline = Clock::now() + kTimeout;
      while (proxy_.faults() == before && Clock::now() < deadline) {
        ASSERT_TRUE(publish(publishing));
        take(*subscription);
      }
      EXPECT_GT(proxy_.faults(), before) << testing::PrintToString(garbage) << " after " << bytes;
    }
  }
  proxy_.heal();
  accounts_.expect_all_come(*subscription);
}

TEST_F(WireFaults, ASilentConnectionIsLeftForANewOne) {
  leave_silent_connections(proxy_, through_proxy().json());
}

TEST_F(WireFaults, ABlackHoleIsNoticedAndLeft) {
  leave_a_black_hole(proxy_, through_proxy().json(), direct().json());
}

} // namespace
} // namespace swapmq::live
