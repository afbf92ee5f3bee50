// SPDX-License-Identifier: MIT
//
// The ids of what was confirmed and of what was consumed, of one message at a time.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "deadline.hpp"
#include "swapmq/swapmq.hpp"

namespace swapmq::live {

class Accounts {
 public:
  Sent publish(MessageQueue& mq) {
    Sent sent = mq.publish("tasks", "body of a message", {.timeout = kPatience});
    if (sent) confirmed_.emplace(sent.id());
    return sent;
  }
  /// Consumes and acks what is there, or comes within a moment.
  void take(Subscription& subscription) {
    auto got = subscription.receive(100, milliseconds(200));
    ASSERT_TRUE(got) << got.error().message();
    for (const Delivery& delivery : *got) {
      consumed_.insert(std::string(delivery.id()));
      delivery.ack();
    }
  }
  /// Until all that was confirmed has come.
  void expect_all_come(Subscription& subscription) {
    const auto deadline = Clock::now() + kPatience;
    while (!missing().empty() && Clock::now() < deadline) take(subscription);
    EXPECT_THAT(missing(), testing::IsEmpty()) << "of " << confirmed_.size() << " confirmed";
  }
  /// The same, by an application of its own.
  void expect_all_come(MessageQueue mq) {
    auto subscription = mq.subscribe("tasks");
    expect_all_come(*subscription);
  }

 private:
  static constexpr milliseconds kPatience{10'000};

  [[nodiscard]] std::set<std::string> missing() const {
    std::set<std::string> ids;
    for (const std::string& id : confirmed_) {
      if (!consumed_.contains(id)) ids.insert(id);
    }
    return ids;
  }

  std::set<std::string> confirmed_, consumed_;
};

} // namespace swapmq::live
