// SPDX-License-Identifier: MIT
//
// What is published is what is delivered, in order, with its bytes and its times.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sqlite_driver.hpp"

namespace swapmq::test {
namespace {

class Messages : public testing::Test {
 protected:
  TempFolder folder_;
  Opened opened_{Opened::options(folder_ / "q.db")};
  SessionPtr publisher_{opened_, SWAPMQ_ROLE_PUBLISH};
  SessionPtr consumer_{opened_, SWAPMQ_ROLE_CONSUME};
  swapmq_queue* to_ = publisher_.queue("tasks");
  swapmq_queue* from_ = consumer_.queue("tasks");
};

std::string every_byte() {
  std::string all;
  for (int c = 0; c < 256; ++c) all.push_back(static_cast<char>(c));
  return all;
}

TEST_F(Messages, ComeInTheOrderOfPublishing) {
  std::vector<std::string> ids;
  for (int i = 0; i < 1000; ++i) ids.push_back("m" + std::to_string(i));
  ASSERT_TRUE(publisher_.publish_ids(to_, {ids.begin(), ids.begin() + 500}).confirmed());
  ASSERT_TRUE(publisher_.publish_ids(to_, {ids.begin() + 500, ids.end()}).confirmed());
  swapmq_subscription* subscription = consumer_.subscribe(from_, 10000);
  std::vector<std::string> got;
  for (uint64_t credit : {1, 7, 92, 900, 10}) {
    const BatchPtr batch = consumer_.receive(subscription, credit);
    for (const std::string& id : batch.ids()) got.push_back(id);
    consumer_.ack_all(subscription, batch);
  }
  EXPECT_EQ(got, ids);
  EXPECT_EQ(sizes(consumer_.stats(from_)), "0/0/0");
}

TEST_F(Messages, KeepEveryByteOfTheirParts) {
  Text text;
  text.id = every_byte().substr(0, 255);
  text.body = every_byte() + every_byte();
  text.headers = {
      {every_byte().substr(1), every_byte()}, {"empty", ""}, {std::string(1, '\0'), "x"}};
  text.ordering_key = every_byte();
  text.priority = 4;
  text.delivery_count = 3;
  text.expires_at_ms = unix_ms() + 3600000;
  ASSERT_TRUE(publisher_.publish(to_, {text}).confirmed());
  const BatchPtr batch = consumer_.receive(consumer_.subscribe(from_), 10);
  ASSERT_EQ(batch.size(), 1u);
  const swapmq_message& message = *batch[0].message;
  EXPECT_EQ(batch.id(0), text.id);
  EXPECT_EQ(batch.body(0), text.body);
  ASSERT_EQ(message.header_count, 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(view(message.headers[i].name), text.headers[i].first);
    EXPECT_EQ(view(message.headers[i].value), text.headers[i].second);
  }
  EXPECT_EQ(view(message.ordering_key), text.ordering_key);
  EXPECT_EQ(message.priority, 4u);
  EXPECT_EQ(message.delivery_count, 3u);
  EXPECT_EQ(message.timestamp_ms, 1700000000000);
  EXPECT_EQ(message.expires_at_ms, text.expires_at_ms);
  EXPECT_EQ(batch[0].delivery_count, 4u) << "counted deliveries elsewhere, plus this one";
  EXPECT_EQ(batch[0].flags, SWAPMQ_DELIVERY_REDELIVERED) << "handed out before, elsewhere";
}

TEST_F(Messages, ACountBeyondAllCountingStaysThere) {
  Text text;
  text.id = "old";
  text.delivery_count = UINT32_MAX;
  ASSERT_TRUE(publisher_.publish(to_, {text}).confirmed());
  const BatchPtr batch = consumer_.receive(consumer_.subscribe(from_), 10);
  ASSERT_EQ(batch.size(), 1u);
  EXPECT_EQ(batch[0].delivery_count, UINT32_MAX);
}

TEST_F(Messages, OfAllSizesComeBackWhole) {
  swapmq_subscription* subscription = consumer_.subscribe(from_);
  for (const std::size_t size :
       {0u, 1u, 63u, 4087u, 4088u, 4089u, 131063u, 131064u, 131065u, 5u << 20}) {
    Text text;
    text.id = std::to_string(size);
    for (std::size_t i = 0; i < size; ++i) text.body.push_back(static_cast<char>(i * 7 + i / 251));
    ASSERT_TRUE(publisher_.publish(to_, {text}).confirmed()) << size;
    const BatchPtr batch = consumer_.receive(subscription, 1);
    ASSERT_EQ(batch.size(), 1u) << size;
    EXPECT_TRUE(batch.body(0) == text.body) << size;
    consumer_.ack_all(subscription, batch);
  }
}

TEST_F(Messages, TooLargeOnesFailAloneAndTheOthersAreStored) {
  Text small;
  small.id = "small";
  Text large;
  large.id = "large";
  large.headers = {{"h", std::string((16u << 20) + 1, 'x')}};
  const Published published = publisher_.publish(to_, {small, large, small});
  ASSERT_TRUE(published.outcome.ok()) << published.outcome;
  EXPECT_EQ(published.results[0].outcome, SWAPMQ_PUBLISH_CONFIRMED);
  EXPECT_EQ(published.results[1].outcome, SWAPMQ_PUBLISH_FAILED);
  EXPECT_EQ(published.results[1].status, SWAPMQ_TOO_LARGE);
  EXPECT_EQ(published.results[2].outcome, SWAPMQ_PUBLISH_CONFIRMED);
  EXPECT_EQ(sizes(publisher_.stats(to_)), "2/0/0");
}

TEST_F(Messages, OfHigherPriorityGoFirst) {
  std::vector<Text> texts;
  for (const uint32_t priority : {0u, 9u, 5u, 0u, 9u, 5u}) {
    texts.emplace_back();
    texts.back().id = std::to_string(priority) + (texts.size() > 3 ? "b" : "a");
    texts.back().priority = priority;
  }
  ASSERT_TRUE(publisher_.publish(to_, texts).confirmed());
  swapmq_subscription* subscription = consumer_.subscribe(from_);
  const BatchPtr first = consumer_.receive(subscription, 5);
  EXPECT_EQ(first.ids(), (std::vector<std::string>{"9a", "9b", "5a", "5b", "0a"}));
  // What comes back of a lower priority does not overtake what is fresh of a higher one.
  ASSERT_EQ(consumer_.settle(subscription, first[4], SWAPMQ_SETTLE_RELEASE), SWAPMQ_OK);
  Text urgent;
  urgent.id = "urgent";
  urgent.priority = 7;
  ASSERT_TRUE(publisher_.publish(to_, {urgent}).confirmed());
  EXPECT_EQ(consumer_.receive(subscription, 5).ids(),
            (std::vector<std::string>{"urgent", "0a", "0b"}));
}

TEST_F(Messages, WithADelayWaitForTheirTime) {
  Text later;
  later.id = "later";
  later.due_at_ms = unix_ms() + 150;
  Text now;
  now.id = "now";
  ASSERT_TRUE(publisher_.publish(to_, {later, now}).confirmed());
  EXPECT_EQ(sizes(publisher_.stats(to_)), "1/0/1");
  swapmq_subscription* subscription = consumer_.subscribe(from_);
  EXPECT_EQ(consumer_.receive(subscription, 10).ids(), std::vector<std::string>{"now"});
  const BatchPtr due = consumer_.receive(subscription, 10, milliseconds(5000));
  EXPECT_GE(unix_ms(), later.due_at_ms);
  ASSERT_EQ(due.ids(), std::vector<std::string>{"later"});
  EXPECT_EQ(due[0].delivery_count, 1u);
  EXPECT_EQ(due[0].flags, 0u) << "waiting is not having been delivered";
  EXPECT_EQ(due[0].message->due_at_ms, later.due_at_ms);
  EXPECT_LT(unix_ms() - later.due_at_ms, 400);
}

TEST_F(Messages, WithADelayCountAsReadyOnceTheirTimeHasCome) {
  Text later;
  later.id = "later";
  later.due_at_ms = unix_ms() + 1000; // publishing and looking may take a while
  ASSERT_TRUE(publisher_.publish(to_, {later}).confirmed());
  EXPECT_EQ(sizes(publisher_.stats(to_)), "0/0/1");
  ASSERT_TRUE(eventually([&] { return unix_ms() >= later.due_at_ms; }));
  EXPECT_EQ(sizes(publisher_.stats(to_)), "1/0/0");
}

TEST_F(Messages, ThatHaveExpiredAreNeitherDeliveredNorCounted) {
  Text brief;
  brief.id = "brief";
  brief.expires_at_ms = unix_ms() + 40;
  Text late = brief;
  late.id = "late"; // would be due after its end
  late.due_at_ms = unix_ms() + 3600000;
  Text lasting;
  lasting.id = "lasting";
  ASSERT_TRUE(publisher_.publish(to_, {brief, late, lasting}).confirmed());
  EXPECT_EQ(sizes(publisher_.stats(to_)), "2/0/1");
  ASSERT_TRUE(eventually([&] { return unix_ms() > brief.expires_at_ms; }));
  swapmq_subscription* subscription = consumer_.subscribe(from_);
  EXPECT_EQ(consumer_.receive(subscription, 10).ids(), std::vector<std::string>{"lasting"});
  EXPECT_EQ(sizes(publisher_.stats(to_)), "0/1/0");
}

TEST_F(Messages, ThatExpireWhileHeldStayHeldAndDoNotComeBack) {
  Text brief;
  brief.id = "brief";
  brief.expires_at_ms = unix_ms() + 60;
  ASSERT_TRUE(publisher_.publish(to_, {brief, brief}).confirmed());
  swapmq_subscription* subscription = consumer_.subscribe(from_);
  const BatchPtr batch = consumer_.receive(subscription, 10);
  ASSERT_EQ(batch.size(), 2u);
  ASSERT_TRUE(eventually([&] { return unix_ms() > brief.expires_at_ms; }));
  EXPECT_EQ(sizes(publisher_.stats(to_)), "0/2/0");
  EXPECT_EQ(consumer_.settle(subscription, batch[0], SWAPMQ_SETTLE_ACK), SWAPMQ_OK);
  EXPECT_EQ(consumer_.settle(subscription, batch[1], SWAPMQ_SETTLE_NACK), SWAPMQ_OK);
  EXPECT_EQ(sizes(publisher_.stats(to_)), "0/0/0");
  EXPECT_EQ(consumer_.receive(subscription, 10).size(), 0u);
}

TEST_F(Messages, StopAtTheBytesAskedForButGiveAtLeastOne) {
  std::vector<Text> texts(4);
  for (Text& text : texts) {
    text.id = "m";
    text.body.assign(1000, 'x');
  }
  ASSERT_TRUE(publisher_.publish(to_, texts).confirmed());
  swapmq_subscription* subscription = consumer_.subscribe(from_);
  EXPECT_EQ(consumer_.exchange(subscription, {}, 10, milliseconds(0), 10).batch.size(), 1u);
  EXPECT_EQ(consumer_.exchange(subscription, {}, 10, milliseconds(0), 2000).batch.size(), 2u);
  EXPECT_EQ(consumer_.exchange(subscription, {}, 10, milliseconds(0), 2000).batch.size(), 1u);
}

TEST_F(Messages, StayAfterTheBackendIsClosed) {
  ASSERT_TRUE(publisher_.publish_ids(to_, {"kept"}).confirmed());
  BatchPtr outliving;
  {
    const Opened other(Opened::options(folder_ / "q.db"));
    SessionPtr session(other);
    outliving = session.receive(session.subscribe(session.queue("tasks")), 1);
  }
  EXPECT_EQ(outliving.body(0), "body of kept") << "a batch outlives session and backend";
  publisher_.close();
  consumer_.close();
  plugin().close(std::exchange(opened_.backend, nullptr));
  const Opened again(Opened::options(folder_ / "q.db"));
  SessionPtr session(again);
  EXPECT_EQ(sizes(session.stats(session.queue("tasks"))), "1/0/0");
}

} // namespace
} // namespace swapmq::test
