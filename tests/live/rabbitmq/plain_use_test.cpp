// SPDX-License-Identifier: MIT
//
// What a plain use of a client library gets wrong, where no other test would notice: see the table
// in the README.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <malloc.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include "../support/deadline.hpp"
#include "../support/queue_state.hpp"
#include "one_broker.hpp"
#include "rabbitmq_app.hpp"

namespace {
std::atomic<std::uint64_t> sends{0};
} // namespace

/// In place of libc's, also for the plugin: counts, and does the same.
extern "C" __attribute__((visibility("default"))) ssize_t send(int fd, const void* data,
                                                               size_t size, int flags) {
  ++sends;
  return syscall(SYS_sendto, fd, data, size, flags, nullptr, 0);
}

namespace swapmq::live {
namespace {

constexpr auto kPatience = milliseconds(30'000);

class PlainUse : public OneBroker {
 protected:
  static RabbitmqApp config() {
    RabbitmqApp app{broker().options()};
    app.broker.more = R"("connection_timeout_seconds":5,"retry_delay_seconds":0.01)";
    app.more = R"(,"max_retries":1000000,"retry_delay_seconds":0)";
    return app;
  }
  static void publish(MessageQueue& mq, std::string_view body) {
    const Sent sent = mq.publish("tasks", body, {.timeout = kPatience});
    ASSERT_TRUE(sent) << sent.error().message();
  }
  static void publish_many(MessageQueue& mq, std::size_t count) {
    const std::vector<Message> messages(count, Message{.body = "body of a message"});
    for (const Sent& sent : mq.publish_many("tasks", messages, {.timeout = kPatience})) {
      ASSERT_TRUE(sent) << sent.error().message();
    }
  }
  /// The next so many, acknowledged.
  static std::vector<std::string> take(Subscription& subscription, std::size_t count) {
    std::vector<std::string> bodies;
    const auto deadline = Clock::now() + kPatience;
    while (bodies.size() < count && Clock::now() < deadline) {
      const auto got = subscription.receive(count - bodies.size(), milliseconds(500));
      if (!got) continue;
      for (const Delivery& delivery : *got) {
        bodies.emplace_back(delivery.body());
        delivery.ack();
      }
    }
    EXPECT_EQ(bodies.size(), count);
    return bodies;
  }
  /// As their channels count them, but those that just end; the queue counts one that left as long
  /// as it holds something.
  static std::string consumers() {
    return broker().eval(
        "lists:sum([N || C <- rabbit_channel:list_local(), "
        "[{_, N}] <- [catch rabbit_channel:info(C, [consumer_count])]])");
  }
  /// As the broker counts them, since it was started.
  static std::string connections() {
    return broker().eval("lists:sort(rabbit_networking:connections())");
  }
};

/// A broker may say anything of the size of a frame; 0 is "no limit".
class PlainUseOfFrames : public PlainUse, public testing::WithParamInterface<const char*> {
 protected:
  static std::size_t agreed() {
    const std::string theirs = GetParam();
    return theirs == "0" ? 131072 : std::stoul(theirs);
  }
};

/// The last frame of one that just fits must not wait for more to come.
TEST_P(PlainUseOfFrames, BodiesAroundTheEndOfAFrameComeAsSoonAsOthers) {
  const Setting theirs(broker(), "frame_max", GetParam());
  MessageQueue mq = open_queue(config());
  auto subscription = mq.subscribe("tasks");
  for (std::size_t size = agreed() - 9; size <= agreed() + 1; ++size) {
    std::string body(size, 'x');
    body.back() = 'y';
    // Who waits does so each time; who is only kept from working is not, at least once.
    auto least = kPatience;
    for (int i = 0; i < 10; ++i) {
      const auto began = Clock::now();
      publish(mq, body);
      ASSERT_TRUE(take(*subscription, 1) == std::vector<std::string>{body}) << size;
      least = std::min(least, std::chrono::duration_cast<milliseconds>(Clock::now() - began));
    }
    EXPECT_LT(least, milliseconds(150)) << size;
  }
}

INSTANTIATE_TEST_SUITE_P(Max, PlainUseOfFrames, testing::Values("0", "4096", "8192", "131072"),
                         [](const auto& max) { return std::string(max.param); });

/// In the default exchange nothing says that a queue is missing, unless it is asked.
TEST_F(PlainUse, APublishToAQueueThatIsGoneIsStored) {
  MessageQueue mq = open_queue(config());
  publish(mq, "before");
  for (int round = 0; round < 3; ++round) {
    broker().eval(kDeleteQueues);
    publish(mq, "after");
    auto subscription = mq.subscribe("tasks");
    EXPECT_THAT(take(*subscription, 1), testing::ElementsAre("after"));
  }
}

/// To become a consumer of it ends the channel with 404.
TEST_F(PlainUse, AConsumerThatComesBackMakesItsQueueAgain) {
  MessageQueue mq = open_queue(config());
  publish(mq, "before");
  auto subscription = mq.subscribe("tasks", {.prefetch = 1});
  const auto held = subscription->receive(1, kPatience);
  ASSERT_TRUE(held && held->size() == 1);
  // It has no room, and so is no consumer after a while: then nobody tells it of the end.
  ASSERT_TRUE(await([] { return consumers() == "0"; }, kPatience)) << consumers();
  broker().eval(kDeleteQueues);
  held->front().ack();
  EXPECT_TRUE(await([] { return consumers() == "1"; }, kPatience)) << consumers();
  publish(mq, "after");
  EXPECT_THAT(take(*subscription, 1), testing::ElementsAre("after"));
}

/// Who is a consumer is told by basic.cancel, and by nothing else.
TEST_F(PlainUse, AConsumerMakesTheQueueAgainThatIsDeletedUnderIt) {
  MessageQueue mq = open_queue(config());
  auto subscription = mq.subscribe("tasks");
  ASSERT_TRUE(await([] { return consumers() == "1"; }, kPatience)) << consumers();
  broker().eval(kDeleteQueues);
  EXPECT_TRUE(await([] { return consumers() == "1"; }, kPatience)) << consumers();
  publish(mq, "after");
  EXPECT_THAT(take(*subscription, 1), testing::ElementsAre("after"));
}

/// The broker ends a connection of which it hears nothing for two or three heartbeats.
TEST_F(PlainUse, IdleSessionsKeepTheirConnections) {
  RabbitmqApp app = config();
  app.broker.heartbeat_seconds = 2;
  MessageQueue mq = open_queue(app);
  publish(mq, "first");
  auto subscription = mq.subscribe("tasks");
  const auto got = subscription->receive(1, kPatience);
  ASSERT_TRUE(got && got->size() == 1);
  const std::string before = connections();
  EXPECT_FALSE(await([&] { return connections() != before; }, milliseconds(9000)));
  got->front().ack();
  publish(mq, "second");
  EXPECT_THAT(take(*subscription, 1), testing::ElementsAre("second"));
  EXPECT_EQ(got->front().wait_settled(kPatience).code(), Errc::ok);
  EXPECT_EQ(connections(), before);
  EXPECT_EQ(plugin_events(mq, "reconnects"), 0);
}

std::size_t allocated() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

TEST_F(PlainUse, MemoryStaysTheSameOverManyMessages) {
  MessageQueue mq = open_queue(config());
  auto subscription = mq.subscribe("tasks");
  const auto round = [&](std::size_t messages) {
    for (std::size_t i = 0; i < messages; i += 1000) {
      publish_many(mq, 1000);
      take(*subscription, 1000);
    }
  };
  round(10'000);
  const std::size_t before = allocated();
  round(50'000);
  const std::size_t after = allocated();
  EXPECT_LT(after, before + (2 << 20)) << "40 bytes a message"; // none, where nothing counts it
  std::cout << "allocated before 50,000 messages: " << before << ", after: " << after << '\n';
}

/// Each message is a method, a header and a body.
TEST_F(PlainUse, ManyMessagesGoInOneSystemCall) {
  MessageQueue mq = open_queue(config());
  publish(mq, "first");
  const std::uint64_t before = sends;
  ASSERT_GT(before, 0U) << "they are counted";
  for (int i = 0; i < 20; ++i) publish_many(mq, 1000);
  const std::uint64_t calls = sends - before;
  EXPECT_LT(calls, 2000U) << "for 20,000 messages";
  std::cout << calls << " calls of send() for 20,000 messages\n";
}

} // namespace
} // namespace swapmq::live
