// SPDX-License-Identifier: MIT
//
// What a queue is declared as, and with which differences it is taken as it is. The answers of a
// broker are written into the socket before anybody asks.
#include "declare.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "broker_error.hpp"
#include "network/deadlines.hpp"
#include "requests.hpp"
#include "support.hpp"

namespace swapmq::rabbitmq {
namespace {

using Arguments = std::map<std::string, std::string>;

class DeclareTest : public testing::Test {
 protected:
  DeclareTest() {
    const network::Descriptor listener(socket(AF_INET, SOCK_STREAM, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    EXPECT_EQ(bind(listener.get(), raw, size), 0);
    EXPECT_EQ(listen(listener.get(), 1), 0);
    EXPECT_EQ(getsockname(listener.get(), raw, &size), 0);
    endpoint_.port = ntohs(address.sin_port);
    connection_.emplace(
        network::Transport::connect(endpoint_, resolver_, nullptr, deadline(), nullptr), endpoint_);
    broker_ = network::Descriptor(accept(listener.get(), nullptr, nullptr));
    connection_->tuned({});
    connection_->version = {3, 13};
  }

  static backend::Deadline deadline() { return network::in(std::chrono::milliseconds(10000)); }

  void answer(const Output& frames) const {
    EXPECT_EQ(send(broker_.get(), frames.bytes().data(), frames.size(), 0),
              static_cast<ssize_t>(frames.size()));
  }
  void answer_opened() const {
    Output out;
    out.method(kAdminChannel, AMQP_CHANNEL_OPEN_OK_METHOD, amqp_channel_open_ok_t{});
    answer(out);
  }
  void answer_declared(uint32_t ready = 0, uint32_t consumers = 0) const {
    Output out;
    out.method(kAdminChannel, AMQP_QUEUE_DECLARE_OK_METHOD,
               amqp_queue_declare_ok_t{amqp_bytes("q"), ready, consumers});
    answer(out);
  }
  void answer_other(const std::string& argument) const {
    const std::string text = "PRECONDITION_FAILED - inequivalent arg '" + argument + "' for queue";
    Output out;
    out.method(kAdminChannel, AMQP_CHANNEL_CLOSE_METHOD,
               amqp_channel_close_t{AMQP_PRECONDITION_FAILED, amqp_bytes(text), 50, 10});
    answer(out);
  }

  /// The frames that the broker got since the last time.
  [[nodiscard]] std::vector<OwnedFrame> asked() {
    connection_->push(); // with its answer there already it has no need to
    std::string bytes(100'000, '\0');
    const ssize_t got = recv(broker_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
    return frames_of(std::string_view(bytes).substr(0, got > 0 ? static_cast<size_t>(got) : 0));
  }
  static Arguments arguments_of(const OwnedFrame& frame) {
    Pool pool;
    Arguments all;
    const auto& fields = pool.fields<amqp_queue_declare_t>(frame);
    EXPECT_EQ(fields.durable, 1);
    EXPECT_EQ(fields.exclusive + fields.auto_delete + fields.nowait, 0);
    for (int i = 0; i < fields.arguments.num_entries; ++i) {
      const auto& [key, value] = fields.arguments.entries[i];
      all[std::string(view(key))] =
          value.kind == AMQP_FIELD_KIND_UTF8      ? std::string(view(value.value.bytes))
          : value.kind == AMQP_FIELD_KIND_BOOLEAN ? "yes"
                                                  : std::to_string(value.value.i64);
    }
    EXPECT_EQ(static_cast<std::size_t>(fields.arguments.num_entries), all.size());
    return all;
  }
  /// The arguments that a route is declared with.
  Arguments declared(Route& route) {
    if (!connection_->channel(kAdminChannel).open) answer_opened();
    answer_declared();
    ensure_exists(*connection_, route, deadline());
    const std::vector<OwnedFrame> frames = asked();
    EXPECT_FALSE(frames.empty());
    return frames.empty() ? Arguments() : arguments_of(frames.back());
  }
  /// Whether the queue is taken as it is, where the broker says that this argument is another one.
  bool is_taken(Route& route, const std::string& argument) {
    route.declared_on = 0;
    connection_->channel(kAdminChannel) = {true, 0};
    answer_other(argument);
    answer_opened(); // and if it is taken, it was looked at
    answer_declared();
    bool taken = false;
    try {
      ensure_exists(*connection_, route, deadline());
      taken = true;
    } catch (const ChannelClosed& closed) {
      EXPECT_EQ(closed.status(), SWAPMQ_CONFLICT);
      open_channel(*connection_, kAdminChannel, deadline()); // takes the other two answers
      look_at(*connection_, "q", deadline());
    }
    EXPECT_EQ(route.declared_on == connection_->serial(), taken);
    return taken;
  }

  network::Endpoint endpoint_ = Broker().endpoint;
  network::Resolver resolver_;
  network::Descriptor broker_;
  std::optional<Connection> connection_;
};

TEST_F(DeclareTest, AQuorumQueueLetsNothingGoByItself) {
  Options options;
  QueueRoutes plain("q", 0, false, options);
  EXPECT_EQ(declared(plain.queue()),
            (Arguments{{"x-queue-type", "quorum"}, {"x-delivery-limit", "2147483647"}}));
  options.quorum_group_size = 3;
  QueueRoutes all("q", 10, true, options);
  EXPECT_EQ(declared(all.queue()), (Arguments{{"x-queue-type", "quorum"},
                                              {"x-delivery-limit", "2147483647"},
                                              {"x-quorum-initial-group-size", "3"},
                                              {"x-max-length", "10"},
                                              {"x-overflow", "reject-publish"},
                                              {"x-single-active-consumer", "yes"}}));
}

TEST_F(DeclareTest, AClassicQueueHasPriorities) {
  Options options;
  options.queue_type = QueueType::classic;
  options.max_priority = 9;
  QueueRoutes routes("q", 0, false, options);
  EXPECT_EQ(declared(routes.queue()),
            (Arguments{{"x-queue-type", "classic"}, {"x-max-priority", "9"}}));
}

TEST_F(DeclareTest, ADelayQueueMovesWhatItHasSafelyWhereTheBrokerCan) {
  QueueRoutes routes("q", 10, true, Options());
  Arguments expected{
      {"x-queue-type", "quorum"},         {"x-delivery-limit", "2147483647"},
      {"x-message-ttl", "128"},           {"x-dead-letter-exchange", ""},
      {"x-dead-letter-routing-key", "q"}, {"x-dead-letter-strategy", "at-least-once"},
      {"x-overflow", "reject-publish"}};
  EXPECT_EQ(declared(routes.due_in(128)), expected);
  connection_->version = {3, 9};
  expected.erase("x-dead-letter-strategy");
  expected.erase("x-overflow");
  routes.forget();
  EXPECT_EQ(declared(routes.due_in(128)), expected);
}

TEST_F(DeclareTest, WhatIsKnownToExistIsNotAskedForAgain) {
  QueueRoutes routes("q", 0, false, Options());
  declared(routes.queue());
  ensure_exists(*connection_, routes.queue(), deadline());
  EXPECT_TRUE(asked().empty());
}

TEST_F(DeclareTest, AQueueThatIsOtherwiseWillDoUnlessThatWasAskedFor) {
  struct Case {
    const char* argument;
    bool of_a_plain_one;
    bool of_a_bounded_one;
    bool of_an_ordered_one;
  };
  const std::vector<Case> all{{"x-max-length", true, false, true},
                              {"x-overflow", true, false, true},
                              {"x-single-active-consumer", true, true, false},
                              {"x-delivery-limit", true, true, true},
                              {"x-quorum-initial-group-size", true, true, true},
                              {"x-queue-type", false, false, false},
                              {"x-max-priority", false, false, false},
                              {"x-message-ttl", false, false, false},
                              {"durable", false, false, false}};
  QueueRoutes plain("q", 0, false, Options());
  QueueRoutes bounded("q", 10, false, Options());
  QueueRoutes ordered("q", 0, true, Options());
  for (const Case& one : all) {
    EXPECT_EQ(is_taken(plain.queue(), one.argument), one.of_a_plain_one) << one.argument;
    EXPECT_EQ(is_taken(bounded.queue(), one.argument), one.of_a_bounded_one) << one.argument;
    EXPECT_EQ(is_taken(ordered.queue(), one.argument), one.of_an_ordered_one) << one.argument;
  }
}

TEST_F(DeclareTest, ToLookAtAQueueDoesNotMakeIt) {
  answer_opened();
  answer_declared(12, 3);
  const Declared there = look_at(*connection_, "q", deadline());
  EXPECT_EQ(there.ready, 12U);
  EXPECT_EQ(there.consumers, 3U);
  Pool pool;
  const std::vector<OwnedFrame> frames = asked();
  ASSERT_FALSE(frames.empty());
  EXPECT_EQ(pool.fields<amqp_queue_declare_t>(frames.back()).passive, 1);
}

} // namespace
} // namespace swapmq::rabbitmq
