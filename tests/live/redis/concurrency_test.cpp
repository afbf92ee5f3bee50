// SPDX-License-Identifier: MIT
//
// A crowd on one queue: eight publishers and eight consumers of one application, a million
// messages, each counted on both sides.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdint>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "../support/deadline.hpp"
#include "../support/queue_state.hpp"
#include "redis_app.hpp"
#include "redis_cli.hpp"
#include "redis_server.hpp"

namespace swapmq::live {
namespace {

using testing::Each;
using testing::ElementsAre;

constexpr std::uint64_t kMessages = CROWD_MESSAGES; // fewer where a sanitizer looks on
constexpr std::uint64_t kBatch = 250;
constexpr std::size_t kEach = 8; // publishers, and consumers
constexpr const char* kQueue = "tasks";
// Confirmed and not consumed: then publishers pause, so that neither memory nor the end of the test
// depends on which side is quicker.
constexpr std::uint64_t kMostWaiting = 50'000;
// So long that on the slowest machine nothing is tried again, and so nothing has a cause to come
// twice.
constexpr auto kPatience = milliseconds(60'000);

static_assert(kMessages % kBatch == 0);

class Crowd {
 public:
  explicit Crowd(MessageQueue& mq) : mq_(mq) {
    for (std::size_t i = 0; i < kEach; ++i) consume(i);
  }
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  /// Returns when all is published, or when nothing is consumed any more.
  void publish_all() {
    std::vector<std::thread> publishers;
    for (std::size_t i = 0; i < kEach; ++i) publishers.emplace_back([this] { publish_on(); });
    for (std::thread& publisher : publishers) publisher.join();
  }
  bool all_come() {
    return await([this] { return consumed_ >= confirmed_; }, kPatience);
  }
  /// What was done is settled then.
  void close() {
    for (Consumer& consumer : consumers_) {
      const Error error = consumer.close();
      EXPECT_FALSE(error) << error.message();
    }
  }

  [[nodiscard]] std::uint64_t confirmed() const { return confirmed_; }
  /// How many messages were consumed so many times.
  [[nodiscard]] std::uint64_t with_count(int times) const {
    return static_cast<std::uint64_t>(std::count(times_.begin(), times_.end(), times));
  }
  [[nodiscard]] std::uint64_t invented() const { return invented_; }
  [[nodiscard]] std::uint64_t redelivered() const { return redelivered_; }
  [[nodiscard]] std::vector<std::uint64_t> shares() const {
    return {shares_.begin(), shares_.end()};
  }

 private:
  void consume(std::size_t number) {
    auto consumer =
        mq_.consume(kQueue, {.prefetch = 512}, [this, number](const Delivery& delivery) {
          note_consumed(delivery);
          ++shares_.at(number);
          return ack();
        });
    consumers_.push_back(std::move(consumer.value()));
  }

  void note_consumed(const Delivery& delivery) {
    std::uint64_t number = kMessages;
    const std::string_view id = delivery.id();
    std::from_chars(id.data(), id.data() + id.size(), number);
    if (number >= kMessages) {
      ++invented_;
    } else {
      ++times_.at(number);
    }
    if (delivery.delivery_count() != 1) ++redelivered_;
    ++consumed_;
  }

  void publish_on() {
    for (std::uint64_t first = 0; (first = next_.fetch_add(kBatch)) < kMessages;) {
      const bool may = await([this] { return confirmed_ < consumed_ + kMostWaiting; }, kPatience);
      if (!may) return; // what was not published is missed by the test
      publish_batch(first);
    }
  }

  void publish_batch(std::uint64_t first) {
    std::vector<std::string> ids;
    for (std::uint64_t i = 0; i < kBatch; ++i) ids.push_back(std::to_string(first + i));
    std::vector<Message> messages;
    for (const std::string& id : ids) messages.push_back({.body = "body of a message", .id = id});
    for (const Sent& sent : mq_.publish_many(kQueue, messages, {.timeout = kPatience})) {
      EXPECT_TRUE(sent) << to_string(sent.outcome()) << ": " << sent.error().message();
      if (sent) ++confirmed_;
    }
  }

  MessageQueue& mq_;
  std::atomic<std::uint64_t> next_{0}, confirmed_{0}, consumed_{0}, invented_{0}, redelivered_{0};
  std::vector<std::atomic<std::uint8_t>> times_ =
      std::vector<std::atomic<std::uint8_t>>(kMessages); // each message was consumed
  std::vector<std::atomic<std::uint64_t>> shares_ =
      std::vector<std::atomic<std::uint64_t>>(kEach); // of each consumer
  std::vector<Consumer> consumers_;                   // closed before what their handlers use
};

/// As redis-cli counts, too.
void expect_nothing_left(MessageQueue& mq, const RedisServer& server) {
  expect_empty(mq, kQueue);
  EXPECT_THAT(redis_cli(server, {"XLEN", kQueue}), ElementsAre("0"));
  EXPECT_EQ(redis_cli(server, {"XPENDING", kQueue, "tasks_group"}).at(0), "0");
  EXPECT_THAT(redis_cli(server, {"ZCARD", "swapmq:{tasks}:due"}), ElementsAre("0"));
}

TEST(Concurrency, EightPublishersAndEightConsumers) {
  const RedisServer server;
  AppConfig config{server.options()};
  config.broker.more = R"("connection_timeout_seconds":60,"lease_ms":120000)"; // see kPatience
  MessageQueue mq = open_queue(config);
  Crowd crowd(mq);
  ASSERT_TRUE(await([&] { return server.info("blocked_clients") == std::to_string(kEach); }))
      << "all of them wait for the first message";

  const auto start = Clock::now();
  crowd.publish_all();
  const bool all_came = crowd.all_come();
  const std::chrono::duration<double> took = Clock::now() - start;
  crowd.close();

  EXPECT_TRUE(all_came);
  EXPECT_EQ(crowd.confirmed(), kMessages);
  EXPECT_EQ(crowd.with_count(0), 0U) << "lost";
  EXPECT_EQ(crowd.with_count(1), kMessages) << "the others: lost, or more than once";
  EXPECT_EQ(crowd.redelivered(), 0U);
  EXPECT_EQ(crowd.invented(), 0U);
  EXPECT_THAT(crowd.shares(), Each(testing::Gt(0U))) << "each consumer has its part";
  expect_nothing_left(mq, server);
  std::cout << kMessages << " messages in " << took.count() << " s, by consumer "
            << testing::PrintToString(crowd.shares()) << '\n';
  RecordProperty("seconds", std::to_string(took.count()));
}

} // namespace
} // namespace swapmq::live
