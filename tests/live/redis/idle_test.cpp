// SPDX-License-Identifier: MIT
//
// A minute without traffic: what is published then is confirmed and consumed at once, also where
// the server or something on the way has closed what lay idle.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../support/deadline.hpp"
#include "../support/queue_state.hpp"
#include "redis_app.hpp"
#include "redis_server.hpp"

namespace swapmq::live {
namespace {

constexpr auto kIdle = milliseconds(60'000);
constexpr auto kSoon = milliseconds(1000); // a few ms are usual; the rest is for a busy machine
constexpr std::uint64_t kBatch = 100;

RedisSetup closing_idle_clients(const char* name) {
  RedisSetup setup = *redis_setup(name);
  setup.more.emplace_back("timeout 20");
  return setup;
}

/// An application that publishes and one that consumes, on a server of their own.
class Pair {
 public:
  explicit Pair(std::string name, const RedisSetup& setup)
      : name_(std::move(name)), server_(setup) {
    auto consumer = consuming_.consume("tasks", {}, [this](const Delivery& delivery) {
      if (delivery.delivery_count() != 1) ++redelivered_;
      ++consumed_;
      return ack();
    });
    consumer_.emplace(std::move(consumer.value()));
  }

  [[nodiscard]] std::uint64_t consumed() const { return consumed_; }

  /// One call of publish_many, confirmed and consumed within that time.
  void exchange(std::uint64_t count, milliseconds within) {
    SCOPED_TRACE(name_);
    const std::vector<Message> messages(count, Message{.body = "body"});
    const std::uint64_t expected = consumed_ + count;
    const auto start = Clock::now();
    for (const Sent& sent : publishing_.publish_many("tasks", messages, {.timeout = within})) {
      EXPECT_TRUE(sent) << to_string(sent.outcome()) << ": " << sent.error().message();
    }
    const auto confirmed = Clock::now();
    EXPECT_TRUE(await([&] { return consumed_ >= expected; }, within));
    const auto end = Clock::now();
    EXPECT_LE(end - start, within);
    using Shown = std::chrono::duration<double, std::milli>;
    std::cout << name_ << ": " << count << " confirmed after " << Shown(confirmed - start).count()
              << " ms, consumed after " << Shown(end - start).count() << " ms\n";
  }
  /// Administration has a session of its own.
  void expect_all_consumed() {
    SCOPED_TRACE(name_);
    const auto start = Clock::now();
    expect_empty(publishing_);
    EXPECT_LE(Clock::now() - start, kSoon);
  }
  /// Nothing was tried twice and nothing came twice; how often it connected again.
  double expect_nothing_went_wrong() {
    SCOPED_TRACE(name_);
    for (const Metric& metric : publishing_.metrics()) {
      if (metric.name == "swapmq_publish_retries_total") {
        EXPECT_EQ(metric.value, 0);
      }
    }
    EXPECT_FALSE(consumer_->last_error()) << consumer_->last_error().message();
    EXPECT_EQ(redelivered_, 0U);
    EXPECT_EQ(consumed_, 1 + 1 + kBatch);
    EXPECT_FALSE(consumer_->close());
    return plugin_events(publishing_, "reconnects");
  }

 private:
  const std::string name_;
  const RedisServer server_;
  std::atomic<std::uint64_t> consumed_{0}, redelivered_{0};
  MessageQueue publishing_ = open_queue(AppConfig{server_.options()});
  MessageQueue consuming_ = open_queue(AppConfig{server_.options()});
  std::optional<Consumer> consumer_;
};

TEST(Idle, AMinuteWithoutTraffic) {
  Pair plain("plain", *redis_setup("plain"));
  Pair closed("closes idle clients", closing_idle_clients("plain"));
  Pair closed_tls("closes idle clients, TLS", closing_idle_clients("tls"));
  for (Pair* pair : {&plain, &closed, &closed_tls}) {
    pair->exchange(1, milliseconds(10'000)); // connects first
    pair->expect_all_consumed();
  }
  EXPECT_FALSE(await(
      [&] { return plain.consumed() + closed.consumed() + closed_tls.consumed() > 3; }, kIdle));
  for (Pair* pair : {&plain, &closed, &closed_tls}) {
    pair->exchange(1, kSoon);
    pair->exchange(kBatch, kSoon);
    pair->expect_all_consumed();
  }
  EXPECT_EQ(plain.expect_nothing_went_wrong(), 0);
  EXPECT_GE(closed.expect_nothing_went_wrong(), 1) << "else nothing was closed";
  EXPECT_GE(closed_tls.expect_nothing_went_wrong(), 1) << "else nothing was closed";
}

} // namespace
} // namespace swapmq::live
