// SPDX-License-Identifier: MIT
//
// One broker for all tests of a program, since a start takes seconds.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "../support/deadline.hpp"
#include "rabbitmq_broker.hpp"

namespace swapmq::live {

inline constexpr const char* kDeleteQueues =
    "[rabbit_amqqueue:delete(Q, false, false, <<\"tests\">>) || Q <- rabbit_amqqueue:list()]";

/// A queue that was just declared does not survive every crash, whatever the broker said: it writes
/// down later that there is one, and what its members are called.
inline constexpr const char* kKeepQueues =
    "[ok = dets:sync(Table) || Table <- dets:all()], ok = mnesia:sync_log()";

/// Another setting of the application rabbit, for what is opened from then on; until this ends.
class Setting {
 public:
  Setting(const RabbitmqBroker& broker, std::string name, const std::string& value)
      : broker_(broker), name_(std::move(name)) {
    before_ = broker_.eval("element(2, application:get_env(rabbit, " + name_ + "))");
    set(value);
  }
  ~Setting() { set(before_); }
  Setting(const Setting&) = delete;
  Setting& operator=(const Setting&) = delete;

 private:
  void set(const std::string& value) {
    broker_.eval("ok = application:set_env(rabbit, " + name_ + ", " + value + ")");
  }
  const RabbitmqBroker& broker_;
  std::string name_, before_;
};

/// Each test leaves the broker running and without queues.
class OneBroker : public testing::Test {
 protected:
  /// It listens both with TLS and without; its options are those without.
  static RabbitmqBroker& broker() {
    static RabbitmqBroker one = [] {
      RabbitmqSetup setup;
      setup.listen = RabbitmqSetup::Listen::both;
      return RabbitmqBroker(setup);
    }();
    return one;
  }
  /// By TLS, to the same.
  static RabbitmqOptions tls_options() {
    return node_options(broker().node(), *rabbitmq_setup("tls"));
  }
  void TearDown() override {
    if (!broker().running()) broker().restart();
    broker().eval(kDeleteQueues);
  }
  static void keep_queues() { broker().eval(kKeepQueues); }
  /// All of its queues, by its own count.
  static void expect_broker_is_empty() {
    std::string left;
    EXPECT_TRUE(await([&] {
      left = broker().eval(
          "[Q || Q <- rabbit_amqqueue:info_all(<<\"/\">>, [name, messages_ready, "
          "messages_unacknowledged, messages]), "
          "proplists:get_value(messages, Q) =/= 0]");
      return left == "[]";
    })) << left;
  }
};

} // namespace swapmq::live
