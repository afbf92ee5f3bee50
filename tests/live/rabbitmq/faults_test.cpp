// SPDX-License-Identifier: MIT
//
// A broker that dies, stops, raises alarms, or closes what is open, while there is traffic: what
// was confirmed is consumed, and what was said to have failed is not there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "../support/expect_tally.hpp"
#include "../support/killed_consumer.hpp"
#include "../support/queue_state.hpp"
#include "../support/resting.hpp"
#include "../support/traffic.hpp"
#include "one_broker.hpp"
#include "rabbitmq_app.hpp"

namespace swapmq::live {
namespace {

using testing::Contains;
using testing::HasSubstr;

class Faults : public OneBroker {
 protected:
  /// Quick to notice and to try again; no message is ever a dead letter.
  static RabbitmqApp config() {
    RabbitmqApp app{broker().options()};
    app.broker.more = R"("connection_timeout_seconds":1.5,"retry_delay_seconds":0.01)";
    app.more = R"(,"max_retries":1000000,"retry_delay_seconds":0)";
    return app;
  }
  static RabbitmqApp config_of(const std::string& queue_type) {
    RabbitmqApp app = config();
    app.broker.queue_type = queue_type;
    return app;
  }
  static void finish(Traffic& traffic, std::uint64_t first = 0) {
    expect_nothing_lost(traffic.finish(first));
    expect_broker_is_empty();
  }
};

class FaultsOfAType : public Faults, public testing::WithParamInterface<const char*> {};

TEST_P(FaultsOfAType, BrokerKilledAndStartedAgain) {
  Traffic traffic(config_of(GetParam()).json());
  ASSERT_TRUE(traffic.flows());
  const Resting resting(traffic.publishing());
  keep_queues();
  broker().kill();
  broker().restart();
  ASSERT_TRUE(traffic.flows(100, milliseconds(30'000)));
  resting.expect_all(traffic.consuming());
  finish(traffic);
}

TEST_P(FaultsOfAType, BrokerStoppedInOrderAndStartedAgain) {
  Traffic traffic(config_of(GetParam()).json());
  ASSERT_TRUE(traffic.flows());
  const Resting resting(traffic.publishing());
  broker().stop();
  broker().restart();
  ASSERT_TRUE(traffic.flows(100, milliseconds(30'000)));
  resting.expect_all(traffic.consuming());
  finish(traffic);
}

TEST_P(FaultsOfAType, ConnectionsClosedAgainAndAgain) {
  Traffic traffic(config_of(GetParam()).json());
  for (int round = 0; round < 20; ++round) {
    ASSERT_TRUE(traffic.flows(20)) << "in round " << round;
    broker().eval(
        "rabbit_networking:close_connections(rabbit_networking:connections(), \"by a "
        "test\")");
  }
  ASSERT_TRUE(traffic.flows());
  finish(traffic);
}

TEST_P(FaultsOfAType, QueueDeletedUnderTraffic) {
  Traffic traffic(config_of(GetParam()).json());
  std::uint64_t after = 0;
  // The broker has more than one way to go about it.
  for (int round = 0; round < 5; ++round) {
    ASSERT_TRUE(traffic.flows()) << "publishing and consuming go on, in round " << round;
    broker().eval(kDeleteQueues);
    traffic.write_off();
    after = traffic.next_number();
  }
  ASSERT_TRUE(traffic.flows());
  finish(traffic, after);
  EXPECT_GE(plugin_events(traffic.consuming(), "queues_lost"), 1);
}

INSTANTIATE_TEST_SUITE_P(Of, FaultsOfAType, testing::Values("quorum", "classic"),
                         [](const auto& type) { return std::string(type.param); });

TEST_F(Faults, BrokerAwayForLongerThanAPublishMayTake) {
  Traffic traffic(config().json(), {.publish_timeout = milliseconds(300)});
  ASSERT_TRUE(traffic.flows());
  keep_queues();
  broker().kill();
  ASSERT_TRUE(traffic.fails());
  ASSERT_TRUE(traffic.fails());
  broker().restart();
  ASSERT_TRUE(traffic.flows());
  finish(traffic);
}

TEST_F(Faults, BrokerStoppedForFifteenSeconds) {
  RabbitmqApp elsewhere = config();
  elsewhere.broker.more += R"(,"queue_prefix":"patient.")";
  Traffic impatient(config().json(), {.publish_timeout = milliseconds(1200)});
  Traffic patient(elsewhere.json(), {.publish_timeout = milliseconds(40'000)});
  ASSERT_TRUE(impatient.flows() && patient.flows());
  broker().pause();
  const auto end = Clock::now() + milliseconds(15'000);
  while (Clock::now() < end) {
    ASSERT_TRUE(impatient.fails()) << "a publish that nobody answers ends at its timeout";
  }
  broker().resume();
  EXPECT_TRUE(impatient.flows());
  EXPECT_TRUE(patient.flows());
  expect_nothing_lost(impatient.finish(), "impatient");
  const Tally tally = patient.finish();
  expect_nothing_lost(tally, "patient");
  EXPECT_EQ(tally.failed + tally.in_doubt, 0U) << "what has the time outlasts the stop";
  expect_broker_is_empty();
}

struct Alarm {
  const char* name;
  const char* on;
  const char* off;
};

class FaultsOfAnAlarm : public Faults, public testing::WithParamInterface<Alarm> {
 protected:
  void TearDown() override {
    broker().eval(GetParam().off);
    OneBroker::TearDown();
  }
};

TEST_P(FaultsOfAnAlarm, NothingIsTakenWhileItLasts) {
  Traffic traffic(config().json(), {.publish_timeout = milliseconds(500)});
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(traffic.flows());
    broker().eval(GetParam().on);
    ASSERT_TRUE(traffic.fails());
    ASSERT_TRUE(traffic.fails());
    broker().eval(GetParam().off);
  }
  ASSERT_TRUE(traffic.flows());
  const Tally tally = traffic.finish();
  expect_nothing_lost(tally);
  EXPECT_THAT(tally.errors, Contains(HasSubstr("alarm")));
  expect_broker_is_empty();
}

/// What is in its queues can be consumed, or it would never have room again.
TEST_P(FaultsOfAnAlarm, ConsumingGoesOn) {
  MessageQueue mq = open_queue(config());
  std::set<std::string> confirmed, consumed;
  for (int i = 0; i < 100; ++i) {
    const Sent sent = mq.publish("tasks", "body");
    ASSERT_TRUE(sent) << sent.error().message();
    confirmed.emplace(sent.id());
  }
  broker().eval(GetParam().on);
  // The broker notices with a publish, and takes that one still; what comes just behind it is in
  // doubt.
  Sent refused;
  for (int i = 0; i < 5 && refused.error().code() == Errc::ok; ++i) {
    refused = mq.publish("tasks", "body", {.timeout = milliseconds(500)});
    if (refused) confirmed.emplace(refused.id());
    if (refused.outcome() == Outcome::in_doubt) refused = {};
  }
  EXPECT_EQ(refused.outcome(), Outcome::failed);
  EXPECT_EQ(refused.error().code(), Errc::resource_exhausted) << refused.error().message();
  EXPECT_TRUE(refused.error().retryable());
  auto subscription = mq.subscribe("tasks", {.prefetch = 20});
  ASSERT_TRUE(subscription);
  while (!std::includes(consumed.begin(), consumed.end(), confirmed.begin(), confirmed.end())) {
    auto got = subscription->receive(20, milliseconds(10'000));
    ASSERT_TRUE(got) << got.error().message();
    ASSERT_FALSE(got->empty()) << consumed.size();
    for (const Delivery& delivery : *got) {
      consumed.insert(std::string(delivery.id()));
      delivery.ack();
    }
  }
  EXPECT_FALSE(consumed.contains(std::string(refused.id())));
}

const Alarm kAlarms[] = {
    {"Memory", "vm_memory_monitor:set_vm_memory_high_watermark({absolute, 1})",
     "vm_memory_monitor:set_vm_memory_high_watermark({absolute, \"4GB\"})"},
    {"Disk", "rabbit_disk_monitor:set_disk_free_limit(\"9000000GB\")",
     "rabbit_disk_monitor:set_disk_free_limit(50000000)"},
};

INSTANTIATE_TEST_SUITE_P(Of, FaultsOfAnAlarm, testing::ValuesIn(kAlarms),
                         [](const auto& alarm) { return std::string(alarm.param.name); });

/// The broker closes the channel of who settles nothing for so long.
TEST_F(Faults, ConsumerThatIsTooSlowForTheBroker) {
  const Setting timeout(broker(), "consumer_timeout", "5000");
  const Setting looks(broker(), "channel_tick_interval", "1000");
  MessageQueue mq = open_queue(config());
  std::set<std::string> confirmed;
  for (int i = 0; i < 5; ++i) {
    const Sent sent = mq.publish("tasks", "body");
    ASSERT_TRUE(sent) << sent.error().message();
    confirmed.emplace(sent.id());
  }
  auto subscription = mq.subscribe("tasks", {.prefetch = 10});
  ASSERT_TRUE(subscription);
  const auto receive = [&](milliseconds patience) {
    std::vector<Delivery> all;
    const auto deadline = Clock::now() + patience;
    while (all.size() < 5 && Clock::now() < deadline) {
      auto got = subscription->receive(10, milliseconds(500));
      if (!got) continue; // the broker closed something
      all.insert(all.end(), got->begin(), got->end());
    }
    return all;
  };
  const std::vector<Delivery> held = receive(milliseconds(10'000));
  ASSERT_EQ(held.size(), 5U);
  const std::vector<Delivery> again = receive(milliseconds(20'000));
  ASSERT_EQ(again.size(), 5U) << "what it held comes again";
  for (const Delivery& delivery : held) {
    delivery.ack();
    EXPECT_EQ(delivery.wait_settled(milliseconds(5000)).code(), Errc::lost);
  }
  std::set<std::string> ids;
  for (const Delivery& delivery : again) {
    EXPECT_TRUE(delivery.redelivered());
    ids.emplace(delivery.id());
    delivery.ack();
    EXPECT_EQ(delivery.wait_settled(milliseconds(5000)).code(), Errc::ok);
  }
  EXPECT_EQ(ids, confirmed);
  EXPECT_GE(plugin_events(mq, "channels_lost"), 1);
  expect_broker_is_empty();
}

TEST_F(Faults, OneOfTwoConsumingProcessesKilled) {
  KilledConsumer(config().json()).expect_that_all_comes();
}

} // namespace
} // namespace swapmq::live
