// SPDX-License-Identifier: MIT
//
// Messages that rest in a queue of their own, which nobody consumes from while something breaks.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "deadline.hpp"
#include "swapmq/swapmq.hpp"

namespace swapmq::live {

class Resting {
 public:
  /// All of them are confirmed.
  explicit Resting(MessageQueue& mq) {
    for (const Sent& sent : mq.publish_many(kQueue, std::vector<Message>(200, {.body = "x"}))) {
      EXPECT_TRUE(sent) << sent.error().message();
      confirmed_.emplace(sent.id());
    }
  }
  /// One more, which is not expected to be confirmed.
  Sent add(MessageQueue& mq, milliseconds timeout) {
    Sent sent = mq.publish(kQueue, "x", {.timeout = timeout});
    if (sent) confirmed_.emplace(sent.id());
    if (sent.outcome() == Outcome::in_doubt) in_doubt_.emplace(sent.id());
    return sent;
  }
  /// All that was confirmed, and nothing that was not published or failed.
  void expect_all(MessageQueue& mq, milliseconds patience = milliseconds(30'000)) const {
    auto subscription = mq.subscribe(kQueue);
    std::set<std::string> missing = confirmed_, strangers;
    const auto deadline = Clock::now() + patience;
    while (!missing.empty() && Clock::now() < deadline) {
      const auto got = subscription->receive(200, milliseconds(500));
      if (!got) continue;
      for (const Delivery& delivery : *got) {
        const std::string id(delivery.id());
        missing.erase(id);
        if (!confirmed_.contains(id) && !in_doubt_.contains(id)) strangers.insert(id);
        delivery.ack();
      }
    }
    EXPECT_THAT(missing, testing::IsEmpty()) << "of " << confirmed_.size();
    EXPECT_THAT(strangers, testing::IsEmpty());
  }

 private:
  static constexpr const char* kQueue = "resting";

  std::set<std::string> confirmed_, in_doubt_;
};

} // namespace swapmq::live
