// SPDX-License-Identifier: MIT
//
// Claims of what waits for its time, with a broker whose connections end: what was claimed waits
// on, what was settled meanwhile says so, and nothing comes early.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "../../support/backend_driver.hpp"
#include "../support/proxy.hpp"
#include "fake_broker.hpp"
#include "one_broker.hpp"

namespace swapmq::live {
namespace {

using test::BatchPtr;
using test::eventually;
using test::Exchanged;
using test::OpenedBackend;
using test::Outcome;
using test::SessionPtr;

constexpr std::size_t kMessages = 6;
constexpr std::int64_t kHourMs = 3600 * 1000;

Outcome claim_of(SessionPtr& session, swapmq_subscription* subscription, BatchPtr& batch) {
  const auto* table = static_cast<const swapmq_claim_delayed*>(
      test::plugin().extension(SWAPMQ_EXTENSION_CLAIM_DELAYED));
  swapmq_batch* raw = nullptr;
  const Outcome outcome = test::outcome_of([&](swapmq_error* e) {
    return table->claim(session.session, subscription, 100, 0, test::in(milliseconds(5000)), &raw,
                        e);
  });
  batch = BatchPtr(raw);
  return outcome;
}

class Claims : public OneBroker {
 protected:
  static std::string options(int port) {
    RabbitmqOptions options = broker().options();
    options.port = port;
    options.more =
        R"("connection_timeout_seconds":2,"retry_delay_seconds":0.001,"max_retry_attempts":20)";
    return options.json();
  }
  void publish(std::size_t first = 0) {
    std::vector<test::Text> texts(kMessages);
    for (std::size_t i = 0; i < kMessages; ++i) {
      texts[i].id = "id " + std::to_string(first + i);
      texts[i].body = std::string(100, 'x');
      texts[i].due_at_ms = test::unix_ms() + kHourMs;
    }
    ASSERT_TRUE(session_.publish(queue_, texts).confirmed());
  }
  /// All that can be claimed, sooner or later.
  std::vector<BatchPtr> claim_all(std::size_t count) {
    std::vector<BatchPtr> all;
    std::set<std::string> ids;
    EXPECT_TRUE(eventually([&] {
      BatchPtr batch;
      claim_of(session_, subscription_, batch);
      for (std::size_t i = 0; i < batch.size(); ++i) {
        EXPECT_TRUE(ids.insert(batch.id(i)).second || may_repeat_) << "claimed twice";
      }
      if (batch.size() > 0) all.push_back(std::move(batch));
      return ids.size() >= count;
    })) << ids.size()
        << " of " << count << " are claimed";
    return all;
  }
  /// Given again until each is settled.
  std::vector<swapmq_status> settle(const std::vector<BatchPtr>& batches, int32_t action) {
    std::vector<const swapmq_delivery*> open;
    for (const BatchPtr& batch : batches) {
      for (std::size_t i = 0; i < batch.size(); ++i) open.push_back(&batch[i]);
    }
    std::vector<swapmq_status> all;
    EXPECT_TRUE(eventually([&] {
      std::vector<swapmq_settlement> settlements;
      for (const auto* delivery : open) settlements.push_back(test::settlement(*delivery, action));
      const Exchanged done = session_.exchange(subscription_, settlements, 0, milliseconds(5000));
      std::vector<const swapmq_delivery*> left;
      for (std::size_t i = 0; i < open.size(); ++i) {
        const swapmq_status status = done.statuses[i];
        const bool over = status == SWAPMQ_OK || status == SWAPMQ_LOST;
        if (over) all.push_back(status);
        if (!over) left.push_back(open[i]);
      }
      open = std::move(left);
      return open.empty();
    })) << open.size()
        << " are not settled";
    return all;
  }

  bool may_repeat_ = false; // a copy was confirmed, and the original came back
  void SetUp() override { ASSERT_TRUE(session_.outcome.ok()) << session_.outcome; }

  Proxy proxy_{broker().port()};
  OpenedBackend opened_{options(proxy_.port())};
  SessionPtr session_{opened_};
  swapmq_queue* queue_ = session_.queue("tasks");
  swapmq_subscription* subscription_ = session_.subscribe(queue_);
};

TEST_F(Claims, LostWithTheirConnectionWaitOn) {
  publish();
  const std::vector<BatchPtr> claimed = claim_all(kMessages);
  proxy_.drop_all();
  for (const swapmq_status status : settle(claimed, SWAPMQ_SETTLE_ACK)) {
    EXPECT_EQ(status, SWAPMQ_LOST);
  }
  const std::vector<BatchPtr> again = claim_all(kMessages);
  for (const BatchPtr& batch : again) {
    for (std::size_t i = 0; i < batch.size(); ++i) EXPECT_EQ(batch[i].delivery_count, 1U);
  }
  for (const swapmq_status status : settle(again, SWAPMQ_SETTLE_ACK)) EXPECT_EQ(status, SWAPMQ_OK);
}

TEST_F(Claims, CutAnywhereLoseNone) {
  publish();
  may_repeat_ = true;
  for (const Way way : {Way::requests, Way::replies}) {
    for (std::uint64_t bytes = 0; bytes < 3000; bytes += 211) {
      SCOPED_TRACE((way == Way::requests ? "requests " : "replies ") + std::to_string(bytes));
      proxy_.cut_after(way, bytes);
      BatchPtr batch;
      claim_of(session_, subscription_, batch);
      proxy_.heal();
      std::vector<BatchPtr> claimed;
      if (batch.size() > 0) claimed.push_back(std::move(batch));
      settle(claimed, SWAPMQ_SETTLE_RELEASE);
      settle(claim_all(kMessages), SWAPMQ_SETTLE_RELEASE);
      ASSERT_FALSE(HasFailure());
    }
  }
}

/// Of what waits together, the end of a claimer brings nothing before its time.
TEST_F(Claims, WhatTheBrokerTakesBackComesInTime) {
  const std::int64_t at = test::unix_ms() + 2500;
  std::vector<test::Text> texts(kMessages);
  for (std::size_t i = 0; i < kMessages; ++i) {
    texts[i].id = "id " + std::to_string(i);
    texts[i].due_at_ms = at;
  }
  ASSERT_TRUE(session_.publish(queue_, texts).confirmed());
  const std::vector<BatchPtr> claimed = claim_all(kMessages);
  proxy_.drop_all();
  std::size_t came = 0;
  EXPECT_TRUE(eventually([&] {
    const Exchanged got = session_.exchange(subscription_, {}, 100, milliseconds(200));
    if (got.batch.size() > 0) {
      EXPECT_GE(test::unix_ms(), at - 2) << "early";
      EXPECT_LE(test::unix_ms(), at + 1000) << "late";
      session_.ack_all(subscription_, got.batch);
    }
    came += got.batch.size();
    return came >= kMessages;
  }));
  EXPECT_EQ(came, kMessages);
}

/// A quorum queue sets aside what it finds to have ended when it is asked for a message and has no
/// other, and passes it on when something else happens there: so something does.
class SetAside : public testing::TestWithParam<std::uint32_t> {
 protected:
  std::optional<AmqpReply> reply(const AmqpRequest& request) const {
    using namespace amqp;
    if (request.method == kGet) return method(request.channel, kGetEmpty, short_text(""));
    if (request.method != kQueueDeclare) return std::nullopt;
    return method(request.channel, kQueueDeclareOk, short_text("a queue") + u32(ready_) + u32(0));
  }
  static std::string options(int port) {
    RabbitmqOptions options;
    options.port = port;
    return options.json();
  }
  [[nodiscard]] std::size_t count(amqp::Method method) const {
    const auto requests = broker_.requests();
    return static_cast<std::size_t>(
        std::count_if(requests.begin(), requests.end(),
                      [&](const AmqpRequest& request) { return request.method == method; }));
  }
  void claim() {
    BatchPtr batch;
    const Outcome outcome = claim_of(session_, subscription_, batch);
    EXPECT_TRUE(outcome.ok()) << outcome;
    EXPECT_EQ(batch.size(), 0U);
  }

  const std::uint32_t ready_ = GetParam();
  FakeBroker broker_{[this](const AmqpRequest& request) { return reply(request); }};
  OpenedBackend opened_{options(broker_.port())};
  SessionPtr session_{opened_};
  swapmq_subscription* subscription_ = session_.subscribe(session_.queue("tasks"));
};

INSTANTIATE_TEST_SUITE_P(Ready, SetAside, testing::Values(0U, 1U));

TEST_P(SetAside, IsSentOnByAConsumerThatComesAndGoes) {
  claim();
  const std::size_t places = count(amqp::kConsume);
  EXPECT_GT(places, 10U) << "somebody else may have left some anywhere";
  EXPECT_EQ(count(amqp::kChannelClose), places) << "what it was pushed goes back";
  EXPECT_EQ(count(amqp::kGet), ready_ * places);
  claim();
  EXPECT_EQ(count(amqp::kConsume), (1 + ready_) * places) << "for each that found none";
  EXPECT_EQ(count(amqp::kChannelClose), (1 + ready_) * places);
}

} // namespace
} // namespace swapmq::live
