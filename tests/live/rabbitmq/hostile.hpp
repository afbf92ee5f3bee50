// SPDX-License-Identifier: MIT
//
// What the plugin makes of a broker that says what no broker should, through the library's public
// API: calls end in time, nothing is confirmed or handed out that was not, and the log says what is
// wrong; and once the broker is polite again, all works.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <string>
#include <utility>

#include "../support/deadline.hpp"
#include "../support/temp_folder.hpp"
#include "fake_broker.hpp"
#include "rabbitmq_app.hpp"

namespace swapmq::live {

constexpr milliseconds kSoon(100);    // for a call that is to fail
constexpr milliseconds kLate(1000);   // beyond its timeout; more is a hang
constexpr milliseconds kEnough(8000); // for a call that is to succeed, on a busy machine

/// Runs a call that is to end by its timeout.
template <class Call>
auto timely(const char* what, milliseconds timeout, const Call& call) {
  const auto began = Clock::now();
  auto result = call();
  EXPECT_LT(Clock::now() - began, timeout + kLate) << what << " ended too late";
  return result;
}

/// In the place of the polite reply to this method.
inline AmqpScript instead_of(amqp::Method method, const AmqpReply& reply) {
  return [=](const AmqpRequest& request) -> std::optional<AmqpReply> {
    if (request.method != method) return std::nullopt;
    return reply;
  };
}
/// Behind the polite reply to the first consume of a channel, without its message.
inline AmqpScript pushed(const AmqpReply& reply) {
  return [=](const AmqpRequest& request) -> std::optional<AmqpReply> {
    if (request.method != amqp::kConsume) return std::nullopt;
    AmqpReply all = reply;
    all.bytes =
        amqp::method(request.channel, amqp::kConsumeOk, amqp::short_text("consumer")) + all.bytes;
    return all;
  };
}

/// An application and a broker that follows a script until it is told to be polite.
class HostileApp {
 public:
  struct Options {
    std::string patience_seconds = "0.2"; // with a broker that is silent
    int heartbeat_seconds = 0;            // 0: not said
  };

  explicit HostileApp(AmqpScript script, Options options)
      : script_(std::move(script)), options_(std::move(options)), mq_(open_queue(app())) {}
  explicit HostileApp(AmqpScript script) : HostileApp(std::move(script), Options{"0.2", 0}) {}

  FakeBroker& broker() { return broker_; }
  MessageQueue& mq() { return mq_; }
  void be_polite() {
    polite_ = true;
    broker_.end_streams();
  }

  [[nodiscard]] std::string log() const {
    std::ifstream file(folder_ / "log");
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }

  /// A publish that is not confirmed, and why. What was tried last when the time was over may have
  /// had none: then that is said, so it is asked again.
  void expect_not_published(Outcome outcome, const std::string& regex) {
    Sent sent;
    const auto soon = testing::ContainsRegex("in time|no time|soon as they are used");
    for (milliseconds timeout = kSoon; timeout <= 16 * kSoon; timeout *= 2) {
      sent = timely("publish", timeout,
                    [&] { return mq_.publish("tasks", "body", {.timeout = timeout}); });
      EXPECT_FALSE(sent) << "nobody confirmed it";
      const std::string& text = sent.error().message();
      if (testing::Matches(testing::ContainsRegex(regex))(text)) break;
      if (!testing::Matches(soon)(text)) break;
    }
    EXPECT_EQ(sent.outcome(), outcome) << sent.error().message();
    EXPECT_THAT(sent.error().message(), testing::ContainsRegex(regex));
    EXPECT_THAT(sent.error().message(), testing::Not(testing::ContainsRegex("[\x01-\x1f]")));
  }

  /// A consumer that gets nothing, and why. Then the broker is polite, and it gets its message.
  void expect_not_consumed(const std::string& regex) {
    auto subscription = mq_.subscribe("tasks", {.prefetch = 10});
    ASSERT_TRUE(subscription);
    EXPECT_TRUE(
        await([&] { return testing::Matches(testing::ContainsRegex(regex))(log()); }, kEnough))
        << regex << " is not in:\n"
        << log();
    constexpr milliseconds kAtOnce(1);
    const auto got = timely("receive", kAtOnce, [&] { return subscription->receive(10, kAtOnce); });
    EXPECT_TRUE(!got || got->empty()) << "somebody's message: " << (*got)[0].body();
    be_polite();
    expect_consumed(*subscription);
    EXPECT_FALSE(timely("close", milliseconds(0), [&] { return subscription->close(); }));
  }

  static void expect_consumed(Subscription& subscription) {
    const auto until = Clock::now() + kEnough;
    while (Clock::now() < until) {
      const auto got = subscription.receive(1, kEnough);
      if (!got || got->empty()) continue;
      EXPECT_EQ((*got)[0].body(), "body");
      (*got)[0].ack();
      const Error settled = (*got)[0].wait_settled(kEnough);
      if (settled.code() == Errc::lost) continue; // of a connection that is just left
      EXPECT_FALSE(settled) << settled.message();
      return;
    }
    ADD_FAILURE() << "nothing came\n";
  }

  /// Both ways, though it was hostile just now.
  void expect_heals() {
    be_polite();
    const Sent sent = mq_.publish("tasks", "body", {.timeout = kEnough});
    EXPECT_TRUE(sent) << sent.error().message();
    auto subscription = mq_.subscribe("tasks");
    ASSERT_TRUE(subscription);
    expect_consumed(*subscription);
    const Error closed = timely("close", milliseconds(0), [&] { return mq_.close(); });
    EXPECT_FALSE(closed) << closed.message();
  }

 private:
  RabbitmqApp app() {
    RabbitmqApp app;
    app.broker.port = broker_.port();
    app.broker.heartbeat_seconds = options_.heartbeat_seconds;
    app.broker.more = R"("retry_delay_seconds":0.001,"close_timeout_ms":300,"settle_grace_ms":300,)"
                      R"("connection_timeout_seconds":)" +
                      options_.patience_seconds;
    app.more = R"(,"retry_delay_seconds":0,"connection_timeout_seconds":0.4)";
    app.queues = R"("tasks":{"dead_letter_queue":"tasks.dead"})";
    app.log_file = folder_ / "log";
    return app;
  }

  const AmqpScript script_;
  const Options options_;
  std::atomic<bool> polite_{false};
  const TempFolder folder_{"swapmq-hostile"};
  FakeBroker broker_{[this](const AmqpRequest& request) {
    return polite_ || !script_ ? std::nullopt : script_(request);
  }};
  MessageQueue mq_;
};

/// What is resident in memory, in bytes.
std::size_t resident_bytes();

} // namespace swapmq::live
