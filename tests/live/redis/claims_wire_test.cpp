// SPDX-License-Identifier: MIT
//
// Claims of what waits for its time, while the connection breaks at every few bytes: what was
// claimed by an answer that never came is given back, and what was settled is so once.
#include <gtest/gtest.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "../../support/backend_driver.hpp"
#include "../support/proxy.hpp"
#include "redis_server.hpp"

namespace swapmq::live {
namespace {

using test::BatchPtr;
using test::eventually;
using test::Exchanged;
using test::OpenedBackend;
using test::Outcome;
using test::SessionPtr;

constexpr std::size_t kMessages = 8;
constexpr std::int64_t kHourMs = 3600 * 1000;

class ClaimsWire : public testing::Test {
 protected:
  ClaimsWire() {
    std::vector<test::Text> texts(kMessages);
    for (std::size_t i = 0; i < kMessages; ++i) {
      texts[i].id = "id " + std::to_string(i);
      texts[i].body = std::string(100, 'x');
      // One in two comes back with a delay, the others are published with one.
      texts[i].due_at_ms = i % 2 == 0 ? test::unix_ms() + kHourMs : 0;
    }
    SessionPtr session(direct_);
    swapmq_queue* queue = session.queue("tasks");
    EXPECT_TRUE(session.publish(queue, texts).confirmed());
    swapmq_subscription* subscription = session.subscribe(queue);
    const BatchPtr ready = session.receive(subscription, kMessages, milliseconds(5000));
    EXPECT_EQ(ready.size(), kMessages / 2);
    for (std::size_t i = 0; i < ready.size(); ++i) {
      session.settle(subscription, ready[i], SWAPMQ_SETTLE_NACK, test::unix_ms() + kHourMs);
    }
  }

  /// A lease that does not end within the test: who claimed must give back by itself.
  [[nodiscard]] std::string options(int port) const {
    return "{\"port\":" + std::to_string(port) +
           R"(,"connection_timeout_seconds":0.5,"retry_delay_seconds":0.001,"lease_ms":600000})";
  }

  Outcome claim(BatchPtr& batch) {
    const auto* table = static_cast<const swapmq_claim_delayed*>(
        test::plugin().extension(SWAPMQ_EXTENSION_CLAIM_DELAYED));
    swapmq_batch* raw = nullptr;
    const Outcome outcome = test::outcome_of([&](swapmq_error* e) {
      return table->claim(session_.session, subscription_, 100, 0, test::in(milliseconds(5000)),
                          &raw, e);
    });
    batch = BatchPtr(raw);
    return outcome;
  }
  /// All that can be claimed, sooner or later.
  std::vector<BatchPtr> claim_all(std::size_t count) {
    std::vector<BatchPtr> all;
    std::set<std::string> ids;
    EXPECT_TRUE(eventually([&] {
      BatchPtr batch;
      claim(batch);
      for (std::size_t i = 0; i < batch.size(); ++i) {
        EXPECT_TRUE(ids.insert(batch.id(i)).second) << "claimed twice";
      }
      if (batch.size() > 0) all.push_back(std::move(batch));
      return ids.size() >= count;
    })) << ids.size()
        << " of " << count << " are claimed";
    return all;
  }
  Exchanged settle(const std::vector<BatchPtr>& batches, int32_t action) {
    std::vector<swapmq_settlement> settlements;
    for (const BatchPtr& batch : batches) {
      for (std::size_t i = 0; i < batch.size(); ++i) {
        settlements.push_back(test::settlement(batch[i], action));
      }
    }
    return session_.exchange(subscription_, settlements, 0, milliseconds(5000));
  }

  RedisServer server_;
  Proxy proxy_{server_.port()};
  OpenedBackend direct_{options(server_.port())};
  OpenedBackend opened_{options(proxy_.port())};
  SessionPtr session_{opened_};
  swapmq_queue* queue_ = session_.queue("tasks");
  swapmq_subscription* subscription_ = session_.subscribe(queue_);
};

class ClaimsWireOfAWay : public ClaimsWire, public testing::WithParamInterface<Way> {};

TEST_P(ClaimsWireOfAWay, AClaimIsCut) {
  for (std::uint64_t bytes = 0; bytes < 3000; bytes += 37) {
    SCOPED_TRACE(bytes);
    proxy_.cut_after(GetParam(), bytes);
    BatchPtr batch;
    const Outcome outcome = claim(batch);
    proxy_.heal();
    if (outcome.ok()) {
      std::vector<BatchPtr> claimed;
      claimed.push_back(std::move(batch));
      settle(claimed, SWAPMQ_SETTLE_RELEASE);
    }
    const std::vector<BatchPtr> all = claim_all(kMessages);
    for (const swapmq_status status : settle(all, SWAPMQ_SETTLE_RELEASE).statuses) {
      ASSERT_EQ(status, SWAPMQ_OK);
    }
    ASSERT_EQ(test::sizes(session_.stats(queue_)), "0/0/" + std::to_string(kMessages));
  }
}

TEST_P(ClaimsWireOfAWay, AReleaseIsCut) {
  for (std::uint64_t bytes = 0; bytes < 1500; bytes += 37) {
    SCOPED_TRACE(bytes);
    const std::vector<BatchPtr> claimed = claim_all(kMessages);
    proxy_.cut_after(GetParam(), bytes);
    settle(claimed, SWAPMQ_SETTLE_RELEASE);
    proxy_.heal();
    settle(claimed, SWAPMQ_SETTLE_RELEASE); // those that could not be tried
    const std::vector<BatchPtr> all = claim_all(kMessages);
    settle(all, SWAPMQ_SETTLE_RELEASE);
    ASSERT_EQ(test::sizes(session_.stats(queue_)), "0/0/" + std::to_string(kMessages));
  }
}

TEST_P(ClaimsWireOfAWay, AnAckIsCut) {
  const std::vector<BatchPtr> claimed = claim_all(kMessages);
  proxy_.cut_after(GetParam(), 20);
  const Exchanged acked = settle(claimed, SWAPMQ_SETTLE_ACK);
  EXPECT_EQ(proxy_.faults(), 1u);
  proxy_.heal();
  for (const swapmq_status status : acked.statuses) EXPECT_NE(status, SWAPMQ_OK);
  // In one step all were acked or none.
  EXPECT_TRUE(eventually([&] {
    BatchPtr batch;
    const Outcome outcome = claim(batch);
    if (!outcome.ok()) return false;
    EXPECT_TRUE(batch.size() == 0 || batch.size() == kMessages) << batch.size();
    return test::sizes(session_.stats(queue_)) == "0/" + std::to_string(batch.size()) + "/0";
  }));
}

INSTANTIATE_TEST_SUITE_P(Each, ClaimsWireOfAWay, testing::Values(Way::requests, Way::replies),
                         [](const testing::TestParamInfo<Way>& way) {
                           return way.param == Way::requests ? "Requests" : "Replies";
                         });

} // namespace
} // namespace swapmq::live
