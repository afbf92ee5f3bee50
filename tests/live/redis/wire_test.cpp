// SPDX-License-Identifier: MIT
//
// What stands at the server is what the plugin's README documents, as others read and write it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../../support/backend_driver.hpp"
#include "redis_app.hpp"
#include "redis_cli.hpp"

namespace swapmq::live {
namespace {

using test::BatchPtr;
using test::OpenedBackend;
using test::Outcome;
using test::Published;
using test::SessionPtr;
using testing::ContainsRegex;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr milliseconds kSoon(10'000);

class Wire : public testing::Test {
 protected:
  /// With further options: "\"max_length\":100".
  void open(const std::string& more = "") {
    RedisOptions options = server_.options();
    options.more = more;
    opened_ = std::make_unique<OpenedBackend>(options.json());
    session_ = std::make_unique<SessionPtr>(*opened_);
    ASSERT_TRUE(session_->outcome.ok()) << session_->outcome;
  }
  std::vector<std::string> cli(const std::vector<std::string>& words) const {
    return redis_cli(server_, words);
  }
  /// The fields of the only entry of a stream, as redis-cli shows them.
  [[nodiscard]] std::vector<std::string> only_entry(const std::string& key) const {
    std::vector<std::string> lines = cli({"XRANGE", key, "-", "+"});
    if (!lines.empty()) lines.erase(lines.begin()); // its id
    return lines;
  }
  static std::string header(const BatchPtr& batch, std::size_t i, std::string_view name) {
    const swapmq_message& message = *batch[i].message;
    for (uint32_t h = 0; h < message.header_count; ++h) {
      if (test::view(message.headers[h].name) == name) {
        return std::string(test::view(message.headers[h].value));
      }
    }
    return "(none)";
  }

  RedisServer server_;
  std::unique_ptr<OpenedBackend> opened_;
  std::unique_ptr<SessionPtr> session_;
};

// ---- what we write ------------------------------------------------------------------------------

TEST_F(Wire, AnEntryHasTheFieldsOfTheReadmeInTheirOrder) {
  open();
  test::Text text{.id = "m1", .body = "hello"};
  ASSERT_TRUE(session_->publish(session_->queue("plain"), {text}).confirmed());
  EXPECT_THAT(only_entry("plain"),
              ElementsAre("message_id", "m1", "data", "hello", "timestamp", "1700000000000",
                          "retry_count", "0", "correlation_id", ""));
  text.headers = {{"tenant", "t1"}, {"data", "d"}};
  text.due_at_ms = 1650000000000; // long ago
  text.priority = 7;
  text.delivery_count = 3;
  text.ordering_key = "o";
  text.correlation_id = "c";
  text.reply_to = "r";
  text.content_type = "ct";
  text.first_published_ms = 1600000000000;
  text.expires_at_ms = test::unix_ms() + 3'600'000;
  const std::string expires = std::to_string(text.expires_at_ms);
  ASSERT_TRUE(session_->publish(session_->queue("full"), {text}).confirmed());
  EXPECT_THAT(only_entry("full"),
              ElementsAre("message_id", "m1", "data", "hello", "timestamp", "1700000000000",
                          "retry_count", "3", "correlation_id", "c", "first_published",
                          "1600000000000", "due_at", "1650000000000", "expires_at", expires,
                          "priority", "7", "ordering_key", "o", "reply_to", "r", "content_type",
                          "ct", "header:tenant", "t1", "header:data", "d"));
  const std::string id = cli({"XRANGE", "full", "-", "+"}).at(0);
  EXPECT_THAT(cli({"ZRANGE", "swapmq:{full}:expiry", "0", "-1", "WITHSCORES"}),
              ElementsAre(id, expires));
}

TEST_F(Wire, ADelayedMessageWaitsWhereTheReadmeSays) {
  open();
  const int64_t due = test::unix_ms() + 3'600'000;
  const test::Text text{.id = "m", .body = "later", .due_at_ms = due};
  ASSERT_TRUE(session_->publish(session_->queue("tasks"), {text}).confirmed());
  EXPECT_THAT(cli({"XLEN", "tasks"}), ElementsAre("0"));
  const std::vector<std::string> later = cli({"XRANGE", "swapmq:{tasks}:later", "-", "+"});
  ASSERT_GE(later.size(), 5U);
  EXPECT_EQ(later[2] + later[4], "mlater");
  EXPECT_THAT(cli({"ZRANGE", "swapmq:{tasks}:scheduled", "0", "-1", "WITHSCORES"}),
              ElementsAre(later[0], std::to_string(due)));
}

TEST_F(Wire, WhatComesBackWaitsInNobodysName) {
  open(R"("key_prefix":"app:","consumer_group_prefix":"g-","consumer_id":"worker")");
  swapmq_queue* queue = session_->queue("tasks");
  ASSERT_TRUE(session_->publish_ids(queue, {"m"}).confirmed());
  swapmq_subscription* subscription = session_->subscribe(queue);
  const BatchPtr batch = session_->receive(subscription, 1, kSoon);
  ASSERT_EQ(batch.size(), 1U);
  const std::string consumer = "swapmq:worker:30000ms:[0-9a-f]{16}";
  EXPECT_THAT(cli({"XINFO", "GROUPS", "app:tasks"}).at(1), "g-tasks_group");
  EXPECT_THAT(cli({"XINFO", "CONSUMERS", "app:tasks", "g-tasks_group"}).at(1),
              testing::MatchesRegex(consumer));
  EXPECT_THAT(cli({"KEYS", "swapmq:{app:tasks}:alive:*"}).at(0), ContainsRegex(consumer));
  const int64_t due = test::unix_ms() + 3'600'000;
  ASSERT_EQ(session_->settle(subscription, batch[0], SWAPMQ_SETTLE_NACK, due), SWAPMQ_OK);
  const std::vector<std::string> waiting =
      cli({"ZRANGE", "swapmq:{app:tasks}:due", "0", "-1", "WITHSCORES"});
  ASSERT_EQ(waiting.size(), 2U);
  EXPECT_EQ(waiting[1], std::to_string(due));
  const std::vector<std::string> pending =
      cli({"XPENDING", "app:tasks", "g-tasks_group", "-", "+", "9"});
  ASSERT_EQ(pending.size(), 4U);
  EXPECT_EQ(pending[1], "swapmq:returned");
  EXPECT_EQ(pending[3], "1") << "its count";
}

TEST_F(Wire, AnAckLeavesNothingBehind) {
  open();
  swapmq_queue* queue = session_->queue("tasks");
  ASSERT_TRUE(session_->publish_ids(queue, {"a", "b"}).confirmed());
  swapmq_subscription* subscription = session_->subscribe(queue);
  session_->ack_all(subscription, session_->receive(subscription, 2, kSoon));
  EXPECT_THAT(cli({"XLEN", "tasks"}), ElementsAre("0"));
  EXPECT_EQ(cli({"XPENDING", "tasks", "tasks_group"}).at(0), "0");
  session_.reset();
  EXPECT_THAT(cli({"KEYS", "*"}), ElementsAre("tasks"));
  EXPECT_THAT(cli({"XINFO", "CONSUMERS", "tasks", "tasks_group"}), ElementsAre(""));
}

TEST_F(Wire, AConsumerThatCouldNotBeLeavesNoSignOfLife) {
  open(R"("max_retry_attempts":0)");
  swapmq_queue* queue = session_->queue("tasks");
  cli({"CONFIG", "SET", "maxclients", "1"}); // which the session is
  swapmq_subscription* subscription = nullptr;
  const swapmq_subscribe_args args{sizeof args, 1, 0, test::in(kSoon)};
  const Outcome subscribed = test::outcome_of([&](swapmq_error* e) {
    return test::plugin().subscribe(session_->session, queue, &args, &subscription, e);
  });
  EXPECT_EQ(subscribed.status, SWAPMQ_UNAVAILABLE) << subscribed;
  session_.reset(); // now somebody else can look
  ASSERT_TRUE(await([&] {
    try {
      return cli({"PING"}) == std::vector<std::string>{"PONG"};
    } catch (const std::runtime_error&) { // not yet
      return false;
    }
  }));
  EXPECT_THAT(cli({"KEYS", "*"}), ElementsAre("tasks"));
}

TEST_F(Wire, ItsConnectionsHaveItsName) {
  open();
  session_->subscribe(session_->queue("tasks"));
  int named = 0;
  for (const std::string& line : cli({"CLIENT", "LIST"})) {
    named += line.find(" name=swapmq:test ") != std::string::npos ? 1 : 0;
  }
  EXPECT_GE(named, 1);
}

// ---- what others write --------------------------------------------------------------------------

TEST_F(Wire, WhatRedisCliAddsIsAMessage) {
  open();
  swapmq_subscription* subscription = session_->subscribe(session_->queue("tasks"));
  const std::string id = cli({"XADD", "tasks", "*", "data", "hello"}).at(0);
  cli({"XADD", "tasks", "*", "message_id", "theirs", "data", "again", "timestamp", "1700000000001",
       "tenant", "t1", "header:x", "y", "correlation_id", "c"});
  std::map<std::string, std::string> bodies;
  for (BatchPtr batch; bodies.size() < 2;) {
    batch = session_->receive(subscription, 1, kSoon);
    ASSERT_EQ(batch.size(), 1U);
    bodies[batch.id(0)] = batch.body(0);
    EXPECT_EQ(batch[0].flags & SWAPMQ_DELIVERY_UNDECODABLE, 0U);
    if (batch.id(0) == "theirs") {
      EXPECT_EQ(batch[0].message->timestamp_ms, 1700000000001);
      EXPECT_EQ(header(batch, 0, "tenant") + header(batch, 0, "x"), "t1y");
      EXPECT_EQ(test::view(batch[0].message->correlation_id), "c");
    } else {
      EXPECT_EQ(std::to_string(batch[0].message->timestamp_ms), id.substr(0, id.find('-')));
    }
    EXPECT_EQ(session_->settle(subscription, batch[0], SWAPMQ_SETTLE_ACK), SWAPMQ_OK);
  }
  EXPECT_EQ(bodies[id], "hello");
  EXPECT_EQ(bodies["theirs"], "again");
  EXPECT_THAT(cli({"XLEN", "tasks"}), ElementsAre("0"));
}

TEST_F(Wire, WhatNobodyCanDecodeIsDeadLetteredByTheLibrary) {
  MessageQueue mq = open_queue(AppConfig{server_.options()});
  auto consumer = mq.consume("tasks", {}, [](const Delivery& delivery) {
    ADD_FAILURE() << "a handler was given " << delivery.id();
    return ack();
  });
  ASSERT_TRUE(consumer);
  cli({"XADD", "tasks", "*", "message_id", "odd", "data", "kept", "priority", "very", "a", "b"});
  ASSERT_TRUE(await([&] { return cli({"XLEN", "tasks.dead"}).at(0) == "1"; }));
  const std::vector<std::string> letter = only_entry("tasks.dead");
  const auto field = [&](const std::string& name) -> std::string {
    for (std::size_t i = 0; i + 1 < letter.size(); i += 2) {
      if (letter[i] == name) return letter[i + 1];
    }
    return "(none)";
  };
  EXPECT_EQ(field("message_id"), "odd");
  EXPECT_EQ(field("data"), "kept");
  EXPECT_EQ(field("header:a"), "b");
  EXPECT_EQ(field("header:swapmq-dead-letter-reason"), "undecodable");
  EXPECT_EQ(field("header:swapmq-dead-letter-queue"), "tasks");
  EXPECT_THAT(field("header:swapmq-undecodable"), HasSubstr("\"priority\" is not a number"));
  EXPECT_THAT(cli({"XLEN", "tasks"}), ElementsAre("0"));
  EXPECT_EQ(cli({"XPENDING", "tasks", "tasks_group"}).at(0), "0");
}

TEST_F(Wire, AKeyOfAnotherTypeIsAConflictAndStaysAsItIs) {
  open();
  cli({"SET", "tasks", "somebody's"});
  swapmq_queue* queue = session_->queue("tasks");
  const auto expect_conflict = [](const char* what, const Outcome& outcome) {
    EXPECT_EQ(outcome.status, SWAPMQ_CONFLICT) << what << ": " << outcome;
    EXPECT_THAT(outcome.text, HasSubstr("something other than a stream")) << what;
  };
  const Published published = session_->publish_ids(queue, {"m"});
  expect_conflict("publish", published.outcome);
  EXPECT_TRUE(published.all(SWAPMQ_PUBLISH_FAILED));
  const Published delayed =
      session_->publish(queue, {{.id = "m", .body = "b", .due_at_ms = test::unix_ms() + 60'000}});
  expect_conflict("a delayed publish", delayed.outcome);
  EXPECT_TRUE(delayed.all(SWAPMQ_PUBLISH_FAILED));
  const auto call = [&](auto function, auto... more) {
    return test::outcome_of([&](swapmq_error* e) {
      return function(session_->session, queue, more..., test::in(kSoon), e);
    });
  };
  swapmq_subscription* subscription = nullptr;
  const swapmq_subscribe_args args{sizeof args, 1, 0, test::in(kSoon)};
  expect_conflict("subscribe", test::outcome_of([&](swapmq_error* e) {
                    return test::plugin().subscribe(session_->session, queue, &args, &subscription,
                                                    e);
                  }));
  EXPECT_THAT(cli({"KEYS", "*"}), ElementsAre("tasks")) << "a sign of life";
  swapmq_queue_stats stats{};
  stats.struct_size = sizeof stats;
  uint64_t removed = 0;
  expect_conflict("create", call(test::plugin().create_queue));
  expect_conflict("stats", call(test::plugin().queue_stats, &stats));
  expect_conflict("purge", call(test::plugin().purge_queue, &removed));
  expect_conflict("delete", call(test::plugin().delete_queue));
  EXPECT_THAT(cli({"GET", "tasks"}), ElementsAre("somebody's"));
}

// ---- options ------------------------------------------------------------------------------------

TEST_F(Wire, AnIdIsStoredOnceWithinItsWindow) {
  open(R"("deduplication_window_ms":3600000)");
  swapmq_queue* queue = session_->queue("tasks");
  EXPECT_TRUE(session_->publish_ids(queue, {"a", "a", "b"}).confirmed());
  EXPECT_TRUE(session_->publish_ids(queue, {"a"}).confirmed());
  EXPECT_THAT(cli({"XLEN", "tasks"}), ElementsAre("2"));
  const std::vector<std::string> left = cli({"PTTL", "swapmq:{tasks}:id:a"});
  EXPECT_GT(std::stoll(left.at(0)), 3'500'000);
  cli({"DEL", "swapmq:{tasks}:id:a"}); // as if the window were over
  EXPECT_TRUE(session_->publish_ids(queue, {"a"}).confirmed());
  EXPECT_THAT(cli({"XLEN", "tasks"}), ElementsAre("3"));
}

TEST_F(Wire, AMovedMessageIsStoredThoughItsIdIsRemembered) {
  open(R"("deduplication_window_ms":3600000)");
  swapmq_queue* queue = session_->queue("tasks");
  EXPECT_TRUE(session_->publish_ids(queue, {"a"}).confirmed());
  // It was moved to another backend, and the switch is rolled back.
  EXPECT_TRUE(
      session_->publish(queue, {{.id = "a", .body = "x", .first_published_ms = test::unix_ms()}})
          .confirmed());
  EXPECT_THAT(cli({"XLEN", "tasks"}), ElementsAre("2"));
  EXPECT_TRUE(session_->publish_ids(queue, {"a"}).confirmed());
  EXPECT_THAT(cli({"XLEN", "tasks"}), ElementsAre("2")) << "the id is remembered all the same";
}

TEST_F(Wire, AScriptOfTheLargestBatchFitsOnLuasStack) {
  open(R"("script_batch":2000)");
  swapmq_queue* queue = session_->queue("tasks");
  std::vector<std::string> ids(2000);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = "m" + std::to_string(i);
  ASSERT_TRUE(session_->publish_ids(queue, ids).confirmed());
  std::vector<BatchPtr> batches;
  std::vector<swapmq_settlement> all;
  swapmq_subscription* subscription = session_->subscribe(queue, 5000);
  while (all.size() < ids.size()) {
    batches.push_back(session_->receive(subscription, 5000, kSoon));
    ASSERT_GT(batches.back().size(), 0U);
    for (std::size_t i = 0; i < batches.back().size(); ++i) {
      all.push_back(test::settlement(batches.back()[i], SWAPMQ_SETTLE_RELEASE));
    }
  }
  for (const swapmq_status status : session_->exchange(subscription, all, 0).statuses) {
    ASSERT_EQ(status, SWAPMQ_OK);
  }
  EXPECT_EQ(session_->receive(subscription, 5000, kSoon).size(), ids.size());
}

TEST_F(Wire, MaxLengthTrimsTheOldest) {
  open(R"("max_length":100)");
  std::vector<std::string> ids(1000);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = "m" + std::to_string(i);
  EXPECT_TRUE(session_->publish_ids(session_->queue("tasks"), ids).confirmed());
  const long length = std::stol(cli({"XLEN", "tasks"}).at(0));
  EXPECT_GE(length, 100);
  EXPECT_LE(length, 300); // "about": whole nodes of the stream go, 100 entries each
  const std::vector<std::string> newest = cli({"XREVRANGE", "tasks", "+", "-", "COUNT", "1"});
  EXPECT_EQ(newest.at(2), "m999");
}

TEST_F(Wire, ABoundOfTheQueueRefusesWhatIsBeyondIt) {
  open();
  swapmq_queue* queue = session_->queue("tasks", 3);
  const Published published = session_->publish_ids(queue, {"a", "b", "c", "d", "e"});
  ASSERT_EQ(published.results.size(), 5U);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(published.results[i].outcome,
              i < 3 ? SWAPMQ_PUBLISH_CONFIRMED : SWAPMQ_PUBLISH_FAILED);
  }
  EXPECT_EQ(published.results[4].status, SWAPMQ_RESOURCE_EXHAUSTED);
  EXPECT_THAT(cli({"XLEN", "tasks"}), ElementsAre("3"));
  // What is delayed counts, too.
  swapmq_queue* other = session_->queue("other", 1);
  const test::Text later{.id = "l", .body = "b", .due_at_ms = test::unix_ms() + 3'600'000};
  EXPECT_TRUE(session_->publish(other, {later}).confirmed());
  EXPECT_TRUE(session_->publish_ids(other, {"m"}).all(SWAPMQ_PUBLISH_FAILED));
}

TEST_F(Wire, FlushedScriptsAreBroughtAgain) {
  open();
  swapmq_queue* queue = session_->queue("tasks");
  const test::Text mortal{.id = "m", .body = "b", .expires_at_ms = test::unix_ms() + 3'600'000};
  ASSERT_TRUE(session_->publish(queue, {mortal}).confirmed());
  swapmq_subscription* subscription = session_->subscribe(queue);
  EXPECT_EQ(test::sizes(session_->stats(queue)), "1/0/0");
  BatchPtr batch = session_->receive(subscription, 1, kSoon);
  ASSERT_EQ(batch.size(), 1U);
  for (int i = 0; i < 3; ++i) {
    cli({"SCRIPT", "FLUSH"});
    EXPECT_EQ(session_->settle(subscription, batch[0], SWAPMQ_SETTLE_NACK), SWAPMQ_OK);
    cli({"SCRIPT", "FLUSH"});
    batch = session_->receive(subscription, 1, kSoon);
    ASSERT_EQ(batch.size(), 1U) << "round " << i;
    cli({"SCRIPT", "FLUSH"});
    EXPECT_EQ(test::sizes(session_->stats(queue)), "0/1/0");
  }
  cli({"SCRIPT", "FLUSH"});
  const Published published = session_->publish(queue, {mortal});
  EXPECT_TRUE(published.confirmed()) << published.outcome;
}

TEST_F(Wire, APublishWhoseScriptWasFlushedIsDoneAgainInOrder) {
  open(R"("publish_chunk":50,"publish_window":200)");
  swapmq_queue* queue = session_->queue("tasks", 1'000'000); // a bound: all go by the script
  ASSERT_TRUE(session_->publish_ids(queue, {"first"}).confirmed());
  cli({"SCRIPT", "FLUSH"});
  std::vector<std::string> ids(2000);
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = "m" + std::to_string(i);
  const Published published = session_->publish_ids(queue, ids);
  EXPECT_TRUE(published.confirmed()) << published.outcome;
  std::vector<std::string> stored;
  swapmq_subscription* subscription = session_->subscribe(queue, 5000);
  while (stored.size() < ids.size() + 1) {
    const BatchPtr batch = session_->receive(subscription, 5000, kSoon);
    ASSERT_GT(batch.size(), 0U);
    for (const std::string& id : batch.ids()) stored.push_back(id);
  }
  ids.insert(ids.begin(), "first");
  EXPECT_EQ(stored, ids);
}

} // namespace
} // namespace swapmq::live
