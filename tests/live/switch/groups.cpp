// SPDX-License-Identifier: MIT
//
// Groups of a queue at real brokers: each gets every message that was confirmed, while the backend
// is switched and a broker dies, also one that nobody consumes for at the time.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <iterator>
#include <mutex>
#include <set>
#include <thread>

#include "scenario.hpp"

namespace switch_test {
namespace {

using swapmq::Consumer;
using swapmq::MessageQueue;
using Ids = std::set<std::string>;

/// A handler that notes what comes.
class Group {
 public:
  Group(MessageQueue& mq, const std::string& name)
      : consumer_(mq.consume("orders", {.group = name}, [this](const swapmq::Delivery& delivery) {
                      const std::lock_guard lock(mutex_);
                      ids_.emplace(delivery.id());
                      ++handled_;
                      return swapmq::ack();
                    }).value()) {}
  [[nodiscard]] Ids ids() const {
    const std::lock_guard lock(mutex_);
    return ids_;
  }
  [[nodiscard]] std::size_t handled() const {
    const std::lock_guard lock(mutex_);
    return handled_;
  }

 private:
  mutable std::mutex mutex_;
  Ids ids_;
  std::size_t handled_ = 0;
  Consumer consumer_; // last: its handler uses the others
};

class Groups : public Scenario {
 protected:
  Groups() { set_section("redis_stream", mortal_.options().json()); }

  MessageQueue open(const std::string& type) {
    std::string text = R"({"message_queue":{"type":")" + type + R"(","retry_delay_seconds":0)";
    for (const auto& [name, options] : sections()) text += ",\"" + name + "\":" + options;
    text +=
        R"(},"queues":{"orders":{"groups":["a","late"]}},"switch":{"allow_capability_loss":true},)"
        R"("log":{"level":"off"}})";
    return MessageQueue::try_open_text(text, "groups").value();
  }
  /// Publishes until it is stopped; fills in what was confirmed.
  void publish(MessageQueue& mq, Ids& confirmed) {
    while (!stop_) {
      const auto sent = mq.publish("orders", "x");
      EXPECT_NE(sent.outcome(), swapmq::Outcome::failed) << sent.error().message();
      if (sent) confirmed.emplace(sent.id());
      published_ = confirmed.size();
    }
  }
  void flow() {
    const std::size_t before = published_;
    EXPECT_TRUE(await([&] { return published_ >= before + 100; }));
  }
  static void switch_to(MessageQueue& mq, const std::string& type) {
    const auto asked = mq.switch_to(type, mq.switch_options());
    ASSERT_TRUE(asked) << asked.error().message();
    ASSERT_TRUE(await([&] { return mq.backend_name() == type; }));
  }
  /// How many may come twice: of publishes that were tried again, and deliveries whose connection
  /// was lost.
  static std::size_t may_be_twice(const MessageQueue& mq) {
    double sum = 0;
    for (const swapmq::Metric& metric : mq.metrics()) {
      const bool lost = std::any_of(metric.labels.begin(), metric.labels.end(),
                                    [](const auto& label) { return label.second == "lost"; });
      if (metric.name == "swapmq_publish_retries_total" ||
          (metric.name == "swapmq_settled_total" && lost)) {
        sum += metric.value;
      }
    }
    return static_cast<std::size_t>(sum);
  }
  static void expect_all(const Group& group, const Ids& confirmed) {
    const auto missing = [&] {
      const Ids got = group.ids();
      Ids left;
      std::set_difference(confirmed.begin(), confirmed.end(), got.begin(), got.end(),
                          std::inserter(left, left.end()));
      return left;
    };
    EXPECT_TRUE(await([&] { return missing().empty(); })) << missing().size() << " are lost";
  }

  swapmq::live::RedisServer mortal_{*swapmq::live::redis_setup("aof_always")};
  std::atomic<bool> stop_{false};
  std::atomic<std::size_t> published_{0};
};

TEST_F(Groups, EachGetsEveryMessageOnEveryBackend) {
  MessageQueue mq = open("sqlite");
  const Group a(mq, "a");
  Ids confirmed;
  std::thread publisher([&] { publish(mq, confirmed); });
  for (const char* to : {"redis_stream", "rabbitmq", "sqlite", "rabbitmq", "redis_stream"}) {
    flow();
    switch_to(mq, to);
  }
  flow();
  stop_ = true;
  publisher.join();
  const Group late(mq, "late");
  expect_all(a, confirmed);
  expect_all(late, confirmed);
  const std::size_t twice = a.handled() + late.handled() - a.ids().size() - late.ids().size();
  std::printf("%zu messages to 2 groups over 5 switches: 0 lost, %zu twice\n", confirmed.size(),
              twice);
  EXPECT_LE(twice, may_be_twice(mq));
}

TEST_F(Groups, ABrokerThatDiesLosesNoneOfThem) {
  MessageQueue mq = open("rabbitmq");
  const Group a(mq, "a");
  Ids confirmed;
  std::thread publisher([&] { publish(mq, confirmed); });
  flow();
  switch_to(mq, "redis_stream");
  flow();
  mortal_.kill();
  std::this_thread::sleep_for(milliseconds(300));
  mortal_.restart();
  flow();
  stop_ = true;
  publisher.join();
  const Group late(mq, "late");
  expect_all(a, confirmed);
  expect_all(late, confirmed);
}

} // namespace
} // namespace switch_test
