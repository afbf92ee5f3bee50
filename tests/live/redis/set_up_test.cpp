// SPDX-License-Identifier: MIT
//
// Servers that are more than one plain one: with replicas, with a disk, with cluster slots.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "../../support/backend_driver.hpp"
#include "redis_server.hpp"

namespace swapmq::live {
namespace {

using test::BatchPtr;
using test::OpenedBackend;
using test::Published;
using test::SessionPtr;

constexpr milliseconds kSoon(10'000);

std::string options_of(const RedisServer& server, const std::string& more = "") {
  RedisOptions options = server.options();
  options.more = more;
  return options.json();
}

// ---- replicas -----------------------------------------------------------------------------------

TEST(Replicas, WithTooFewOfThemAPublishIsInDoubt) {
  const RedisServer server;
  const OpenedBackend opened(options_of(server, R"("wait_replicas":1,"wait_timeout_ms":50)"));
  SessionPtr session(opened);
  const Published published = session.publish_ids(session.queue("tasks"), {"a", "b"});
  EXPECT_TRUE(published.all(SWAPMQ_PUBLISH_IN_DOUBT));
  EXPECT_EQ(server.command({"XLEN", "tasks"}), "2");
}

TEST(Replicas, MayTakeLongerThanAServerMayBeSilentOtherwise) {
  const RedisServer server;
  const OpenedBackend opened(options_of(
      server, R"("wait_replicas":1,"wait_timeout_ms":1200,"connection_timeout_seconds":0.4)"));
  SessionPtr session(opened);
  const auto began = Clock::now();
  const Published published = session.publish_ids(session.queue("tasks"), {"a"});
  EXPECT_GE(Clock::now() - began, milliseconds(1200));
  EXPECT_TRUE(published.all(SWAPMQ_PUBLISH_IN_DOUBT));
  EXPECT_TRUE(published.outcome.ok()) << published.outcome;
}

TEST(Replicas, WithEnoughOfThemItIsConfirmed) {
  const RedisServer master;
  RedisSetup setup;
  setup.more = {"replicaof 127.0.0.1 " + std::to_string(master.port())};
  const RedisServer replica(setup);
  ASSERT_TRUE(await([&] { return replica.info("master_link_status") == "up"; }, kSoon));
  const OpenedBackend opened(options_of(master, R"("wait_replicas":1,"wait_timeout_ms":5000)"));
  SessionPtr session(opened);
  EXPECT_TRUE(session.publish_ids(session.queue("tasks"), {"a", "b"}).confirmed());
  EXPECT_EQ(replica.command({"XLEN", "tasks"}), "2");

  // A replica itself is no server to publish to.
  const OpenedBackend of_replica(options_of(replica));
  SessionPtr wrong(of_replica);
  const Published refused = wrong.publish_ids(wrong.queue("tasks"), {"c"});
  EXPECT_TRUE(refused.all(SWAPMQ_PUBLISH_FAILED));
  EXPECT_EQ(refused.outcome.status, SWAPMQ_UNAVAILABLE) << refused.outcome;
}

// ---- a disk -------------------------------------------------------------------------------------

TEST(Disk, ADelayedMessageSurvivesKillAndRestart) {
  RedisServer server(*redis_setup("aof_always"));
  const OpenedBackend opened(options_of(server));
  SessionPtr session(opened);
  const int64_t due = test::unix_ms() + 300;
  ASSERT_TRUE(session.publish(session.queue("tasks"), {{.id = "m", .body = "b", .due_at_ms = due}})
                  .confirmed());
  server.kill();
  server.restart();
  SessionPtr after(opened); // the other one has yet to find out
  const BatchPtr batch = after.receive(after.subscribe(after.queue("tasks")), 1, kSoon);
  ASSERT_EQ(batch.size(), 1U);
  EXPECT_EQ(batch.id(0), "m");
  EXPECT_GE(test::unix_ms(), due);
}

// ---- cluster slots ------------------------------------------------------------------------------

/// A cluster of one node that has all slots.
class Cluster : public testing::Test {
 protected:
  static RedisSetup setup() {
    RedisSetup made;
    made.more = {"cluster-enabled yes"};
    return made;
  }
  Cluster() : server_(setup()) {
    server_.ask({"CLUSTER", "ADDSLOTSRANGE", "0", "16383"});
    const bool is_up = await(
        [this] {
          return server_.command({"CLUSTER", "INFO"}).find("cluster_state:ok") != std::string::npos;
        },
        kSoon);
    if (!is_up) throw std::runtime_error(server_.command({"CLUSTER", "INFO"}));
  }

  RedisServer server_;
};

TEST_F(Cluster, AQueueDoesAllThatItDoesOnOneServer) {
  const OpenedBackend opened(options_of(server_, R"("deduplication_window_ms":60000)"));
  SessionPtr session(opened);
  for (const char* name : {"tasks", "with{tag}s", "{", "a:b c"}) {
    SCOPED_TRACE(name);
    swapmq_queue* queue = session.queue(name);
    EXPECT_TRUE(session.publish_ids(queue, {"a", "b", "b"}).confirmed());
    const int64_t hour = test::unix_ms() + 3'600'000;
    EXPECT_TRUE(session.publish(queue, {{.id = "c", .body = "x", .due_at_ms = hour}}).confirmed());
    swapmq_subscription* subscription = session.subscribe(queue);
    const BatchPtr first = session.receive(subscription, 1, kSoon);
    ASSERT_EQ(first.size(), 1U);
    EXPECT_EQ(session.settle(subscription, first[0], SWAPMQ_SETTLE_NACK, hour), SWAPMQ_OK);
    const BatchPtr second = session.receive(subscription, 1, kSoon);
    ASSERT_EQ(second.size(), 1U);
    EXPECT_EQ(test::sizes(session.stats(queue)), "0/1/2");
    EXPECT_EQ(session.settle(subscription, second[0], SWAPMQ_SETTLE_ACK), SWAPMQ_OK);
    uint64_t removed = 0;
    EXPECT_TRUE(test::outcome_of([&](swapmq_error* e) {
                  return test::plugin().purge_queue(session.session, queue, &removed,
                                                    test::in(kSoon), e);
                }).ok());
    EXPECT_EQ(removed, 2U);
  }
}

TEST_F(Cluster, ADeadLetterGoesToAQueueInAnotherSlot) {
  ASSERT_NE(server_.command({"CLUSTER", "KEYSLOT", "a"}),
            server_.command({"CLUSTER", "KEYSLOT", "b"}));
  const OpenedBackend opened(options_of(server_));
  SessionPtr session(opened);
  swapmq_queue* from = session.queue("a");
  swapmq_queue* to = session.queue("b");
  ASSERT_TRUE(
      session.publish(from, {{.id = "m", .body = "bad", .headers = {{"h", "1"}}}}).confirmed());
  swapmq_subscription* subscription = session.subscribe(from);
  const BatchPtr batch = session.receive(subscription, 1, kSoon);
  ASSERT_EQ(batch.size(), 1U);
  swapmq_settlement dead = test::settlement(batch[0], SWAPMQ_SETTLE_DEAD_LETTER);
  const swapmq_header why{test::bytes("why"), test::bytes("broken")};
  dead.target = to;
  dead.headers = &why;
  dead.header_count = 1;
  const auto settled = session.exchange(subscription, {dead}, 0);
  EXPECT_EQ(settled.statuses.at(0), SWAPMQ_OK) << settled.outcome;
  EXPECT_EQ(server_.command({"XLEN", "a"}), "0");
  EXPECT_EQ(server_.command({"XPENDING", "a", "a_group"}).substr(0, 1), "0");
  const BatchPtr letter = session.receive(session.subscribe(to), 1, kSoon);
  ASSERT_EQ(letter.size(), 1U);
  EXPECT_EQ(letter.id(0) + letter.body(0), "mbad");
  EXPECT_EQ(letter[0].message->header_count, 2U);
  EXPECT_EQ(letter[0].delivery_count, 1U);
}

TEST_F(Cluster, ADeadLetterToABoundedQueueInAnotherSlotKeepsItsBound) {
  const OpenedBackend opened(options_of(server_));
  SessionPtr session(opened);
  swapmq_queue* from = session.queue("a");
  swapmq_queue* to = session.queue("b", 1);
  ASSERT_TRUE(session.publish_ids(from, {"m"}).confirmed());
  ASSERT_TRUE(session.publish_ids(to, {"there"}).confirmed());
  swapmq_subscription* subscription = session.subscribe(from);
  const BatchPtr batch = session.receive(subscription, 1, kSoon);
  ASSERT_EQ(batch.size(), 1U);
  swapmq_settlement dead = test::settlement(batch[0], SWAPMQ_SETTLE_DEAD_LETTER);
  dead.target = to;
  EXPECT_EQ(session.exchange(subscription, {dead}, 0).statuses.at(0), SWAPMQ_RESOURCE_EXHAUSTED);
  EXPECT_EQ(server_.command({"XLEN", "b"}), "1");
  // It is still ours.
  EXPECT_EQ(session.settle(subscription, batch[0], SWAPMQ_SETTLE_ACK), SWAPMQ_OK);
}

} // namespace
} // namespace swapmq::live
