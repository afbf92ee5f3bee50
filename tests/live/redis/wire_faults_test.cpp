// SPDX-License-Identifier: MIT
//
// The connection breaks at every byte, or brings nonsense: what was confirmed is consumed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "../support/accounts.hpp"
#include "../support/proxy.hpp"
#include "../support/traffic.hpp"
#include "redis_app.hpp"
#include "redis_server.hpp"

namespace swapmq::live {
namespace {

constexpr auto kTimeout = milliseconds(10'000);
constexpr std::uint64_t kMostBytes = 2000; // of what one publish or one delivery exchanges

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
  Sent publish(MessageQueue& mq) { return accounts_.publish(mq); }
  void take(Subscription& subscription) { accounts_.take(subscription); }
  void expect_all_consumed() {
    accounts_.expect_all_come(open_queue(AppConfig{server_.options()}));
  }

  RedisServer server_;
  Proxy proxy_{server_.port()};
  Accounts accounts_;
};

class WireFaultsOfAWay : public WireFaults, public testing::WithParamInterface<Way> {};

TEST_P(WireFaultsOfAWay, PublishingIsCutAtEachByte) {
  MessageQueue mq = open_queue(through_proxy());
  ASSERT_TRUE(publish(mq));
  std::uint64_t bytes = 0;
  for (; bytes < kMostBytes; ++bytes) {
    const std::uint64_t before = proxy_.faults();
    proxy_.cut_after(GetParam(), bytes);
    const Sent sent = publish(mq);
    EXPECT_TRUE(sent) << "cut after " << bytes << ": " << to_string(sent.outcome()) << ", "
                      << sent.error().message();
    if (proxy_.faults() == before) break; // it takes less than that
  }
  EXPECT_GT(bytes, 10U);
  EXPECT_LT(bytes, kMostBytes);
  proxy_.heal();
  expect_all_consumed();
}

TEST_P(WireFaultsOfAWay, ConsumingIsCutAtEachByte) {
  MessageQueue direct = open_queue(AppConfig{server_.options()});
  MessageQueue cut = open_queue(through_proxy());
  auto subscription = cut.subscribe("tasks");
  ASSERT_TRUE(publish(direct));
  accounts_.expect_all_come(*subscription);
  for (std::uint64_t bytes = 0; bytes < 150; ++bytes) {
    const std::uint64_t before = proxy_.faults();
    proxy_.cut_after(GetParam(), bytes);
    // Several exchanges may be needed until so many bytes have passed.
    const auto deadline = Clock::now() + kTimeout;
    while (proxy_.faults() == before && Clock::now() < deadline) {
      ASSERT_TRUE(publish(direct));
      take(*subscription);
    }
    ASSERT_GT(proxy_.faults(), before) << "after " << bytes;
  }
  proxy_.heal();
  accounts_.expect_all_come(*subscription);
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
  MessageQueue direct = open_queue(AppConfig{server_.options()});
  MessageQueue disturbed = open_queue(through_proxy());
  auto subscription = disturbed.subscribe("tasks");
  for (const std::string& garbage : nonsense()) {
    for (const std::uint64_t bytes : {0, 9}) {
      const std::uint64_t before = proxy_.faults();
      proxy_.replace_after(Way::replies, bytes, garbage);
      const auto deadline = Clock::now() + kTimeout;
      while (proxy_.faults() == before && Clock::now() < deadline) {
        ASSERT_TRUE(publish(direct));
        take(*subscription);
      }
      EXPECT_GT(proxy_.faults(), before) << testing::PrintToString(garbage) << " after " << bytes;
    }
  }
  proxy_.heal();
  accounts_.expect_all_come(*subscription);
}

/// Of publishers and of consumers, whatever they were at.
TEST_F(WireFaults, ASilentConnectionIsLeftForANewOne) {
  Traffic traffic(through_proxy().json());
  for (int round = 0; round < 4; ++round) {
    ASSERT_TRUE(traffic.flows()) << "in round " << round;
    proxy_.swallow(round % 2 == 0 ? Way::replies : Way::requests);
  }
  ASSERT_TRUE(traffic.flows());
  const Tally tally = traffic.finish();
  EXPECT_THAT(tally.lost, testing::IsEmpty());
  EXPECT_THAT(tally.failed_yet_stored, testing::IsEmpty());
}

TEST_F(WireFaults, ABlackHoleIsNoticedAndLeft) {
  MessageQueue mq = open_queue(through_proxy());
  ASSERT_TRUE(publish(mq));
  for (const Way way : {Way::replies, Way::requests}) {
    proxy_.hold(way);
    const Sent sent = mq.publish("tasks", "body", {.timeout = milliseconds(1000)});
    EXPECT_FALSE(sent);
    EXPECT_EQ(sent.outcome(), Outcome::in_doubt) << sent.error().message();
    proxy_.release(way);
    EXPECT_TRUE(publish(mq));
  }
  proxy_.heal();
  expect_all_consumed();
}

} // namespace
} // namespace swapmq::live
