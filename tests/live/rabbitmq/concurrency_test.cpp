// SPDX-License-Identifier: MIT
//
// Many threads at one message queue: some publish, others subscribe, take a few and close, again
// and again, and others ask about the queue. Each message is counted on both sides.
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
#include "one_broker.hpp"
#include "rabbitmq_app.hpp"

namespace swapmq::live {
namespace {

constexpr std::uint64_t kMessages = CROWD_MESSAGES; // fewer where a sanitizer looks on
constexpr std::uint64_t kBatch = 50;
constexpr std::size_t kEach = 4; // publishers, those who come and go, those who stay
constexpr const char* kQueue = "tasks";
// So long that on the slowest machine nothing is tried again, and so nothing has a cause to come
// twice.
constexpr auto kPatience = milliseconds(120'000);

static_assert(kMessages % kBatch == 0);

class Crowd {
 public:
  explicit Crowd(MessageQueue& mq) : mq_(mq) {}
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  /// Returns when all that was published is consumed, or nothing comes for long.
  void run() {
    std::vector<Consumer> staying;
    for (std::size_t i = 0; i < kEach; ++i) staying.push_back(consume());
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < kEach; ++i) {
      threads.emplace_back([this] { publish_on(); });
      threads.emplace_back([this] { come_and_go(); });
    }
    threads.emplace_back([this] { ask(); });
    for (std::thread& thread : threads) thread.join();
    for (Consumer& consumer : staying) {
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
  [[nodiscard]] std::uint64_t visits() const { return visits_; }
  [[nodiscard]] std::uint64_t in_visits() const { return in_visits_; }

 private:
  [[nodiscard]] bool over() const { return consumed_ >= kMessages || Clock::now() >= deadline_; }

  Consumer consume() {
    auto consumer = mq_.consume(kQueue, {.prefetch = 20}, [this](const Delivery& delivery) {
      note_consumed(delivery);
      return ack();
    });
    return std::move(consumer.value());
  }

  /// What it does not get to settle is released when it closes.
  void come_and_go() {
    while (!over()) {
      auto subscription = mq_.subscribe(kQueue, {.prefetch = 20});
      ASSERT_TRUE(subscription) << subscription.error().message();
      const auto got = subscription->receive(10, milliseconds(100));
      ASSERT_TRUE(got) << got.error().message();
      for (const Delivery& delivery : *got) {
        if (delivery.ack() != Settling::accepted) continue;
        note_consumed(delivery);
        ++in_visits_;
      }
      const Error error = subscription->close();
      EXPECT_FALSE(error) << error.message();
      ++visits_;
    }
  }

  void ask() {
    while (!over()) {
      EXPECT_TRUE(mq_.size(kQueue));
      EXPECT_FALSE(mq_.ping());
      EXPECT_FALSE(mq_.metrics().empty());
      EXPECT_FALSE(mq_.create_queue("another"));
      EXPECT_FALSE(mq_.delete_queue("another"));
    }
  }

  void note_consumed(const Delivery& delivery) {
    std::uint64_t number = kMessages;
    const std::string_view id = delivery.id();
    std::from_chars(id.data(), id.data() + id.size(), number);
    if (number >= kMessages) {
      ++invented_;
    } else if (times_.at(number)++ == 0) {
      ++consumed_;
    }
  }

  void publish_on() {
    for (std::uint64_t first = 0; (first = next_.fetch_add(kBatch)) < kMessages;) {
      publish_batch(first);
    }
  }

  void publish_batch(std::uint64_t first) {
    std::vector<std::string> ids;
    for (std::uint64_t i = 0; i < kBatch; ++i) ids.push_back(std::to_string(first + i));
    std::vector<Message> messages;
    messages.reserve(ids.size());
    for (const std::string& id : ids) messages.push_back({.body = "body of a message", .id = id});
    for (const Sent& sent : mq_.publish_many(kQueue, messages, {.timeout = kPatience})) {
      EXPECT_TRUE(sent) << to_string(sent.outcome()) << ": " << sent.error().message();
      if (sent) ++confirmed_;
    }
  }

  MessageQueue& mq_;
  const Clock::time_point deadline_ = Clock::now() + kPatience;
  std::atomic<std::uint64_t> next_{0}, confirmed_{0}, consumed_{0}, invented_{0}, visits_{0},
      in_visits_{0};
  std::vector<std::atomic<std::uint8_t>> times_ =
      std::vector<std::atomic<std::uint8_t>>(kMessages); // each message was consumed
};

class Concurrency : public OneBroker, public testing::WithParamInterface<const char*> {};

TEST_P(Concurrency, PublishersAndThoseWhoComeAndGo) {
  RabbitmqApp app{broker().options()};
  app.broker.queue_type = GetParam();
  app.broker.more = R"("connection_timeout_seconds":60)"; // see kPatience
  app.more = R"(,"max_retries":1000000,"retry_delay_seconds":0)";
  MessageQueue mq = open_queue(app);
  Crowd crowd(mq);
  crowd.run();
  EXPECT_EQ(crowd.confirmed(), kMessages);
  EXPECT_EQ(crowd.with_count(0), 0U) << "lost";
  EXPECT_EQ(crowd.with_count(1), kMessages) << "the others: lost, or more than once";
  EXPECT_EQ(crowd.invented(), 0U);
  EXPECT_GT(crowd.visits(), 0U);
  expect_broker_is_empty();
  std::cout << "confirmed " << crowd.confirmed() << ", lost " << crowd.with_count(0)
            << "; subscriptions that came and went: " << crowd.visits() << ", which took "
            << crowd.in_visits() << '\n';
}

INSTANTIATE_TEST_SUITE_P(Of, Concurrency, testing::Values("quorum", "classic"),
                         [](const auto& type) { return std::string(type.param); });

} // namespace
} // namespace swapmq::live
