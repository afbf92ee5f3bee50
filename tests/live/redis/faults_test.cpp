// SPDX-License-Identifier: MIT
//
// A server that dies, stops, fills up, changes its role or forgets, while there is traffic: what
// was confirmed is consumed, and what was said to have failed is not there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "../support/expect_tally.hpp"
#include "../support/killed_consumer.hpp"
#include "../support/queue_state.hpp"
#include "../support/traffic.hpp"
#include "redis_app.hpp"
#include "redis_server.hpp"

namespace swapmq::live {
namespace {

using testing::HasSubstr;

/// Quick to notice and to try again; no message is ever a dead letter.
AppConfig config_for(const RedisOptions& redis) {
  AppConfig config{redis};
  config.broker.more =
      R"("connection_timeout_seconds":1,"retry_delay_seconds":0.01,"lease_ms":1500)";
  config.more = R"(,"max_retries":1000000,"retry_delay_seconds":0)";
  return config;
}

TEST(Faults, ServerKilledAndStartedAgain) {
  RedisServer server(*redis_setup("aof_always"));
  Traffic traffic(config_for(server.options()).json());
  for (int round = 0; round < 6; ++round) {
    ASSERT_TRUE(traffic.flows()) << "in round " << round;
    server.kill();
    server.restart();
  }
  ASSERT_TRUE(traffic.flows());
  expect_nothing_lost(traffic.finish());
  expect_empty(traffic.publishing());
}

TEST(Faults, ServerAwayForLongerThanAPublishMayTake) {
  RedisServer server(*redis_setup("aof_always"));
  Traffic traffic(config_for(server.options()).json(), {.publish_timeout = milliseconds(300)});
  ASSERT_TRUE(traffic.flows());
  server.kill();
  ASSERT_TRUE(traffic.fails());
  ASSERT_TRUE(traffic.fails());
  server.restart();
  ASSERT_TRUE(traffic.flows());
  expect_nothing_lost(traffic.finish());
  expect_empty(traffic.publishing());
}

TEST(Faults, ShortTimeoutsDoNotPutOffConnectingAgain) {
  RedisServer server(*redis_setup("aof_always"));
  MessageQueue mq = open_queue(config_for(server.options()));
  const auto publish = [&] { return mq.publish("tasks", "body", {.timeout = milliseconds(150)}); };
  ASSERT_TRUE(mq.publish("tasks", "body"));
  server.kill();
  for (int i = 0; i < 20; ++i) ASSERT_FALSE(publish());
  server.restart();
  std::string last;
  const auto is_confirmed = [&] {
    const Sent sent = publish();
    last = sent.error().message();
    return bool(sent);
  };
  EXPECT_TRUE(await(is_confirmed, milliseconds(6000))) << last; // 5 s is its longest pause
}

TEST(Faults, ServerStoppedAndContinued) {
  const RedisServer server;
  Traffic traffic(config_for(server.options()).json(), {.publish_timeout = milliseconds(1200)});
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(traffic.flows());
    server.pause();
    EXPECT_TRUE(traffic.fails()) << "a publish that nobody answers ends at its timeout";
    server.resume();
  }
  ASSERT_TRUE(traffic.flows());
  expect_nothing_lost(traffic.finish());
  expect_empty(traffic.publishing());
}

TEST(Faults, ServerStoppedForTenSeconds) {
  const RedisServer server;
  const AppConfig config = config_for(server.options());
  AppConfig elsewhere = config;
  elsewhere.broker.database = 1; // queues of its own, stopped along with the others
  Traffic impatient(config.json(), {.publish_timeout = milliseconds(1200)});
  Traffic patient(elsewhere.json(), {.publish_timeout = milliseconds(30'000)});
  ASSERT_TRUE(impatient.flows() && patient.flows());
  server.pause();
  const auto end = Clock::now() + milliseconds(10'000);
  while (Clock::now() < end) {
    ASSERT_TRUE(impatient.fails()) << "a publish that nobody answers ends at its timeout";
  }
  server.resume();
  EXPECT_TRUE(impatient.flows());
  EXPECT_TRUE(patient.flows());
  expect_nothing_lost(impatient.finish());
  const Tally tally = patient.finish();
  expect_nothing_lost(tally);
  EXPECT_EQ(tally.failed + tally.in_doubt, 0U) << "what has the time outlasts the stop";
  expect_empty(impatient.publishing());
  expect_empty(patient.publishing());
}

TEST(Faults, ConnectionsKilledAgainAndAgain) {
  const RedisServer server;
  Traffic traffic(config_for(server.options()).json());
  for (int round = 0; round < 40; ++round) {
    ASSERT_TRUE(traffic.flows(20)) << "in round " << round;
    server.ask({"CLIENT", "KILL", "TYPE", "normal"});
  }
  ASSERT_TRUE(traffic.flows());
  expect_nothing_lost(traffic.finish());
  expect_empty(traffic.publishing());
}

TEST(Faults, MemoryFullAndRaised) {
  RedisSetup setup = *redis_setup("maxmemory");
  setup.maxmemory = 8 << 20;
  const RedisServer server(setup);
  MessageQueue mq = open_queue(config_for(server.options()));
  auto subscription = mq.subscribe("tasks");
  ASSERT_TRUE(subscription);
  ASSERT_TRUE(mq.create_queue("tasks").code() == Errc::ok);
  std::set<std::string> confirmed;
  const std::string body(20'000, 'x');
  const auto publish = [&](milliseconds timeout) {
    Sent sent = mq.publish("tasks", body, {.timeout = timeout});
    if (sent) confirmed.emplace(sent.id());
    return sent;
  };
  Sent sent = publish(milliseconds(5000));
  for (int i = 0; i < 1000 && sent; ++i) sent = publish(milliseconds(500));
  EXPECT_EQ(sent.outcome(), Outcome::failed) << sent.error().message();
  EXPECT_EQ(sent.error().code(), Errc::resource_exhausted) << sent.error().message();
  EXPECT_THAT(sent.error().message(), HasSubstr("memory"));
  EXPECT_GT(confirmed.size(), 100U);

  EXPECT_EQ(server.command({"CONFIG", "SET", "maxmemory", "64mb"}), "OK");
  EXPECT_TRUE(publish(milliseconds(5000)));
  EXPECT_EQ(server.command({"CONFIG", "SET", "maxmemory", "1mb"}), "OK");
  std::set<std::string> consumed; // goes on while nothing can be published
  while (consumed.size() < confirmed.size()) {
    auto got = subscription->receive(50, milliseconds(10'000));
    ASSERT_TRUE(got) << got.error().message();
    ASSERT_FALSE(got->empty());
    for (const Delivery& delivery : *got) {
      consumed.insert(std::string(delivery.id()));
      delivery.ack();
    }
  }
  EXPECT_EQ(consumed, confirmed);
}

TEST(Faults, DemotedToAReplicaAndPromoted) {
  const RedisServer server;
  const ReservedPort nobody; // a master that never answers: what the replica holds stays
  Traffic traffic(config_for(server.options()).json(), {.publish_timeout = milliseconds(500)});
  for (int round = 0; round < 2; ++round) {
    ASSERT_TRUE(traffic.flows());
    EXPECT_EQ(server.command({"REPLICAOF", "127.0.0.1", std::to_string(nobody.number())}), "OK");
    EXPECT_TRUE(traffic.fails());
    EXPECT_EQ(server.command({"REPLICAOF", "NO", "ONE"}), "OK");
  }
  ASSERT_TRUE(traffic.flows());
  const Tally tally = traffic.finish();
  expect_nothing_lost(tally);
  EXPECT_THAT(tally.errors, testing::Contains(HasSubstr("replica")));
  expect_empty(traffic.publishing());
}

TEST(Faults, EverythingFlushed) {
  const RedisServer server;
  const TempFolder folder("swapmq-flush");
  AppConfig config = config_for(server.options());
  config.log_file = folder / "log";
  Traffic traffic(config.json());
  ASSERT_TRUE(traffic.flows());
  EXPECT_EQ(server.command({"FLUSHALL"}), "OK");
  const std::uint64_t after = traffic.next_number();
  ASSERT_TRUE(traffic.flows()) << "publishing and consuming go on";
  ASSERT_TRUE(traffic.flows());
  expect_nothing_lost(traffic.finish(after));
  EXPECT_GE(plugin_events(traffic.consuming(), "groups_recreated"), 1);
  std::ifstream log(config.log_file);
  std::ostringstream text;
  text << log.rdbuf();
  EXPECT_THAT(text.str(), testing::ContainsRegex("tasks")) << "and says so";
}

TEST(Faults, OneOfTwoConsumingProcessesKilled) {
  const RedisServer server;
  KilledConsumer(config_for(server.options()).json()).expect_that_all_comes();
}

} // namespace
} // namespace swapmq::live
