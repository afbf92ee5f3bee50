// SPDX-License-Identifier: MIT
//
// What stands at the broker is what the plugin's README documents, as others read and write it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "../support/run_program.hpp"
#include "amqp_client.hpp"
#include "one_broker.hpp"
#include "rabbitmq_app.hpp"

namespace swapmq::live {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

constexpr auto kSoon = milliseconds(10'000);

class Wire : public OneBroker {
 protected:
  static RabbitmqApp app(const std::string& queue_type = "quorum") {
    RabbitmqApp app{broker().options()};
    app.broker.queue_type = queue_type;
    app.more = R"(,"retry_delay_seconds":0)";
    return app;
  }
  static void publish(MessageQueue& mq, const Message& message) {
    const Sent sent = mq.publish("tasks", message);
    ASSERT_TRUE(sent) << sent.error().message();
  }
  /// As it stands in the queue.
  static AmqpMessage stored(AmqpClient& client, const std::string& queue = "tasks") {
    std::optional<AmqpMessage> got;
    EXPECT_TRUE(await([&] { return (got = client.get(queue)).has_value(); })) << "in " << queue;
    return got.value_or(AmqpMessage{});
  }
  /// The next one, not settled.
  static Delivery next(Subscription& subscription) {
    auto got = subscription.receive(1, kSoon);
    EXPECT_TRUE(got && got->size() == 1) << got.error().message();
    return got && !got->empty() ? got->front() : Delivery();
  }
  /// One of Debian's programs with this broker's address.
  static std::string tool(const std::string& program, const std::vector<std::string>& more) {
    std::vector<std::string> line{program, "--url", broker().options().url()};
    line.insert(line.end(), more.begin(), more.end());
    const ProgramResult result = run_program(line);
    EXPECT_EQ(result.code, 0) << result.text();
    return result.out;
  }
  static std::string control(const std::vector<std::string>& words) {
    const ProgramResult result = broker().command(words);
    EXPECT_EQ(result.code, 0) << result.text();
    return result.out;
  }
  static std::string text_of(const std::vector<Header>& headers) {
    std::string text;
    for (const Header& header : headers) {
      text += std::string(header.name) + "=" + std::string(header.value) + ";";
    }
    return text;
  }
};

std::uint64_t unix_seconds() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

// ---- what we write ------------------------------------------------------------------------------

TEST_F(Wire, AMessageHasThePropertiesOfTheReadme) {
  RabbitmqApp with_priorities = app("classic");
  with_priorities.broker.more = R"("max_priority":9)";
  MessageQueue mq = open_queue(with_priorities);
  const std::vector<Header> headers{{"tenant", "t1"}, {"a", ""}};
  const std::uint64_t before = unix_seconds();
  publish(mq, {.body = "hello",
               .id = "m1",
               .headers = headers,
               .ttl = milliseconds(3'600'000),
               .priority = 7,
               .ordering_key = "o",
               .correlation_id = "c",
               .reply_to = "r",
               .content_type = "text/plain"});
  AmqpClient client(broker().options());
  const AmqpMessage got = stored(client);
  EXPECT_EQ(got.body, "hello");
  EXPECT_EQ(got.id, "m1");
  EXPECT_EQ(got.correlation_id + got.reply_to + got.content_type, "crtext/plain");
  EXPECT_EQ(got.priority, 7);
  EXPECT_EQ(got.delivery_mode, 2);
  EXPECT_EQ(got.type + got.app_id, "");
  ASSERT_TRUE(got.timestamp.has_value());
  EXPECT_GE(*got.timestamp, before);
  EXPECT_LE(*got.timestamp, unix_seconds());
  EXPECT_EQ(std::stoull(got.header("x-swapmq-timestamp-ms")) / 1000, *got.timestamp);
  EXPECT_LE(std::stoull(got.expiration), 3'600'000U);
  EXPECT_GT(std::stoull(got.expiration), 3'500'000U);
  EXPECT_EQ(got.header("tenant") + got.header("a"), "t1");
  EXPECT_EQ(got.header("x-swapmq-ordering-key"), "o");
  EXPECT_EQ(got.header("x-swapmq-nacks"), "(none)");
}

TEST_F(Wire, WhatHasNoRoomInAPropertyIsAHeader) {
  MessageQueue mq = open_queue(app());
  const std::string fits(255, 'f'), large(256, 'l');
  publish(mq, {.body = "", .correlation_id = large, .reply_to = fits, .content_type = large});
  AmqpClient client(broker().options());
  const AmqpMessage got = stored(client);
  EXPECT_EQ(got.reply_to, fits);
  EXPECT_EQ(got.correlation_id + got.content_type, "");
  EXPECT_EQ(got.header("x-swapmq-correlation-id"), large);
  EXPECT_EQ(got.header("x-swapmq-content-type"), large);
}

TEST_F(Wire, AmqpToolsConsumeWhatWePublish) {
  MessageQueue mq = open_queue(app());
  publish(mq, {.body = "first"});
  publish(mq, {.body = "second"});
  EXPECT_EQ(tool("amqp-get", {"--queue", "tasks"}), "first");
  EXPECT_EQ(tool("amqp-consume", {"--queue", "tasks", "--count", "1", "cat"}), "second");
  EXPECT_TRUE(await([&] { return *mq.size("tasks") == 0; }));
}

/// By queue: the type, then its arguments as rabbitmqctl prints them.
TEST_F(Wire, QueuesHaveTheArgumentsOfTheReadme) {
  RabbitmqApp quorum = app();
  quorum.queues = R"("bounded":{"max_length":3},"strict":{"strict_order":true})";
  RabbitmqApp classic = app("classic");
  classic.broker.more = R"("max_priority":5)";
  MessageQueue mq = open_queue(quorum), other = open_queue(classic);
  for (const char* name : {"plain", "bounded", "strict", "odd%"}) {
    const Error error = mq.create_queue(name);
    ASSERT_FALSE(error) << error.message();
  }
  ASSERT_FALSE(other.create_queue("old"));
  const std::string listed = control({"list_queues", "name", "type", "durable", "arguments"});
  const auto line = [&](const std::string& name) {
    const std::size_t at = ("\n" + listed).find("\n" + name + "\t");
    EXPECT_NE(at, std::string::npos) << name << " in " << listed;
    return listed.substr(std::min(at, listed.size()), listed.find('\n', at) - at);
  };
  EXPECT_THAT(line("plain"), AllOf(ContainsRegex("\tquorum\ttrue\t"), HasSubstr("x-queue-type"),
                                   HasSubstr("\"x-delivery-limit\",2147483647")));
  EXPECT_THAT(line("plain"), testing::Not(ContainsRegex("x-max-length|x-overflow|x-single")));
  EXPECT_THAT(line("bounded"), AllOf(HasSubstr("\"x-max-length\",3"),
                                     HasSubstr("\"x-overflow\",\"reject-publish\"")));
  EXPECT_THAT(line("strict"), HasSubstr("\"x-single-active-consumer\",true"));
  EXPECT_THAT(line("old"),
              AllOf(ContainsRegex("\tclassic\ttrue\t"), HasSubstr("\"x-max-priority\",5"),
                    testing::Not(HasSubstr("x-delivery-limit"))));
  line("odd%25");
}

TEST_F(Wire, ABoundRefusesWhatIsBeyondIt) {
  for (const char* type : {"quorum", "classic"}) {
    RabbitmqApp bounded = app(type);
    const std::string queue = std::string("bounded-") + type;
    bounded.queues = '"' + queue + R"(":{"max_length":3})";
    MessageQueue mq = open_queue(bounded);
    const std::vector<Message> five(5, Message{.body = "body"});
    const std::vector<Sent> sent = mq.publish_many(queue, five, {.timeout = milliseconds(3000)});
    for (std::size_t i = 0; i < 5; ++i) {
      EXPECT_EQ(sent[i].outcome(), i < 3 ? Outcome::confirmed : Outcome::failed) << type << i;
    }
    EXPECT_EQ(sent[4].error().code(), Errc::resource_exhausted) << sent[4].error().message();
    EXPECT_TRUE(await([&] { return *mq.size(queue) == 3; })) << *mq.size(queue);
  }
}

TEST_F(Wire, ConnectionsAreWhatListsShow) {
  RabbitmqApp named = app();
  named.broker.more = R"("connection_name":"the application")";
  MessageQueue mq = open_queue(named);
  publish(mq, {.body = "body"});
  auto subscription = mq.subscribe("tasks", {.prefetch = 20});
  const Delivery held = next(*subscription);
  const std::string listed =
      control({"list_connections", "user", "protocol", "frame_max", "state", "client_properties"});
  std::vector<std::string> ours;
  for (std::size_t at = 0; at < listed.size();) {
    const std::size_t end = listed.find('\n', at);
    const std::string line = listed.substr(at, end - at);
    if (line.find("the application") != std::string::npos) ours.push_back(line);
    at = end == std::string::npos ? listed.size() : end + 1;
  }
  EXPECT_GE(ours.size(), 2U) << "one to publish, one to consume: " << listed;
  for (const std::string& line : ours) {
    EXPECT_THAT(line, StartsWith("queues\t{0,9,1}\t131072\trunning\t"));
    for (const char* what : {"connection.blocked", "consumer_cancel_notify", "publisher_confirms",
                             "basic.nack", "authentication_failure_close"}) {
      EXPECT_THAT(line, HasSubstr("\"" + std::string(what) + "\",true"));
    }
    EXPECT_THAT(line, HasSubstr("\"product\",\"swapmq\""));
  }
  const std::string consumers =
      control({"list_consumers", "queue_name", "consumer_tag", "ack_required", "prefetch_count"});
  EXPECT_THAT(consumers, ContainsRegex("tasks\tswapmq-[0-9a-f-]*\ttrue\t20"));
  // Who publishes is not who consumes.
  const std::string channels =
      control({"list_channels", "connection", "confirm", "consumer_count"});
  EXPECT_THAT(channels, ContainsRegex("\ttrue\t0"));
  EXPECT_THAT(channels, ContainsRegex("\tfalse\t1"));
  EXPECT_THAT(channels, testing::Not(ContainsRegex("\ttrue\t1")));
  held.ack();
}

// ---- what others write --------------------------------------------------------------------------

TEST_F(Wire, WhatAmqpPublishSendsIsAMessage) {
  MessageQueue mq = open_queue(app());
  auto subscription = mq.subscribe("tasks");
  ASSERT_FALSE(mq.create_queue("tasks"));
  tool("amqp-publish",
       {"--routing-key", "tasks", "--persistent", "--content-type", "text/plain", "--reply-to",
        "answers", "--content-encoding", "gzip", "--header", "tenant: t1", "--body", "hello"});
  const Delivery got = next(*subscription);
  EXPECT_EQ(got.body(), "hello");
  EXPECT_THAT(std::string(got.id()), MatchesRegex("amqp-[0-9a-f]+-[0-9]+-[0-9]+"));
  EXPECT_EQ(got.content_type(), "text/plain");
  EXPECT_EQ(got.reply_to(), "answers");
  EXPECT_EQ(got.header("tenant"), "t1");
  EXPECT_EQ(got.header("content_encoding"), "gzip");
  EXPECT_EQ(got.delivery_count(), 1U);
  got.ack();
  EXPECT_EQ(got.wait_settled(kSoon).code(), Errc::ok);
  expect_broker_is_empty();
}

TEST_F(Wire, ForeignPropertiesAndHeadersOfAllTypes) {
  MessageQueue mq = open_queue(app());
  ASSERT_FALSE(mq.create_queue("tasks"));
  AmqpClient client(broker().options());
  client.publish("tasks", {.body = "body",
                           .id = "theirs",
                           .correlation_id = "c",
                           .type = "order",
                           .app_id = "shop",
                           .timestamp = 1'600'000'000,
                           .priority = 4,
                           .headers = {{"number", std::int64_t{-7}},
                                       {"flag", true},
                                       {"real", 1.5},
                                       {"table", {}, {{"x", std::int64_t{1}}, {"y", "z"}}}}});
  auto subscription = mq.subscribe("tasks");
  const Delivery got = next(*subscription);
  EXPECT_EQ(got.id(), "theirs");
  EXPECT_EQ(got.correlation_id(), "c");
  EXPECT_EQ(got.priority(), 4U);
  EXPECT_EQ(std::chrono::system_clock::to_time_t(got.timestamp()), 1'600'000'000);
  EXPECT_EQ(text_of(got.headers()),
            R"(number=-7;flag=true;real=1.5;table={"x":1,"y":"z"};type=order;app_id=shop;)");
  got.ack();
}

TEST_F(Wire, AForeignExpirationHolds) {
  MessageQueue mq = open_queue(app("classic"));
  ASSERT_FALSE(mq.create_queue("tasks"));
  AmqpClient client(broker().options());
  client.publish("tasks", {.body = "expires", .expiration = "1"});
  EXPECT_TRUE(await([&] { return *mq.size("tasks") == 0; }));
  client.publish("tasks", {.body = "stays", .expiration = "3600000"});
  auto subscription = mq.subscribe("tasks");
  EXPECT_EQ(next(*subscription).body(), "stays");
}

TEST_F(Wire, WhatNobodyCanDecodeIsDeadLettered) {
  MessageQueue mq = open_queue(app());
  ASSERT_FALSE(mq.create_queue("tasks"));
  AmqpClient client(broker().options());
  client.publish(
      "tasks",
      {.body = "kept", .id = "odd", .headers = {{"x-swapmq-due-at-ms", "soon"}, {"a", "b"}}});
  auto consumer = mq.consume("tasks", {}, [](const Delivery& delivery) {
    ADD_FAILURE() << "a handler was given " << delivery.id();
    return ack();
  });
  ASSERT_TRUE(consumer);
  ASSERT_TRUE(await([&] {
    const auto stats = mq.stats("tasks.dead");
    return stats && stats->ready == 1;
  }));
  const AmqpMessage letter = stored(client, "tasks.dead");
  EXPECT_EQ(letter.id + letter.body, "oddkept");
  EXPECT_EQ(letter.header("a"), "b");
  EXPECT_EQ(letter.header("swapmq-dead-letter-reason"), "undecodable");
  EXPECT_EQ(letter.header("swapmq-dead-letter-queue"), "tasks");
  EXPECT_THAT(letter.header("swapmq-undecodable"), HasSubstr("x-swapmq-"));
}

// ---- dead letters, delays and what the broker does to headers
// ------------------------------------

TEST_F(Wire, DeadLettersSayWhyHowOftenAndFromWhere) {
  RabbitmqApp twice = app();
  twice.more = R"(,"max_retries":1,"retry_delay_seconds":0)";
  MessageQueue mq = open_queue(twice);
  const std::vector<Header> headers{{"z", "1"}, {"a", "2"}};
  publish(mq, {.body = "body", .id = "m", .headers = headers});
  auto consumer = mq.consume("tasks", {},
                             [](const Delivery&) { return nack(std::nullopt, "it did not work"); });
  auto dead = mq.subscribe("tasks.dead");
  const Delivery letter = next(*dead);
  EXPECT_EQ(letter.id(), "m");
  EXPECT_EQ(letter.body(), "body");
  EXPECT_EQ(letter.header("swapmq-dead-letter-reason"), "max_deliveries: it did not work");
  EXPECT_EQ(letter.header("swapmq-dead-letter-queue"), "tasks");
  EXPECT_EQ(letter.header("swapmq-dead-letter-deliveries"), "2");
  EXPECT_THAT(text_of(letter.headers()), StartsWith("z=1;a=2;"));
  letter.ack();
}

/// What is taken can also come back: a nack and a dead letter add to the headers, and a delay queue
/// has the names twice.
TEST_F(Wire, WhatJustFitsCanBeNackedAndDeadLettered) {
  MessageQueue mq = open_queue(app());
  std::vector<std::string> names;
  for (char letter = 'a'; letter <= 'z'; ++letter) names.emplace_back(255, letter);
  names.emplace_back("x-death");
  std::vector<Header> headers;
  for (const std::string& name : names) headers.push_back({name, "v"});
  const auto fits = [&](std::size_t length) {
    const std::string long_text(length, 'c');
    const Sent sent = mq.publish(
        "tasks", Message{.body = "body", .headers = headers, .correlation_id = long_text});
    EXPECT_TRUE(sent || sent.error().code() == Errc::too_large) << sent.error().message();
    return static_cast<bool>(sent);
  };
  std::size_t most = 0;
  for (std::size_t step = 65536; step > 0; step /= 2) {
    if (fits(most + step)) most += step;
  }
  EXPECT_GT(most, 100'000U);
  ASSERT_TRUE(mq.purge("tasks"));
  ASSERT_TRUE(fits(most));
  auto subscription = mq.subscribe("tasks");
  const Delivery first = next(*subscription);
  first.nack(milliseconds(300));
  EXPECT_FALSE(first.wait_settled(kSoon));
  const Delivery again = next(*subscription);
  EXPECT_EQ(again.delivery_count(), 2U);
  again.reject(std::string(2000, 'r'));
  EXPECT_FALSE(again.wait_settled(kSoon));
  auto dead = mq.subscribe("tasks.dead");
  const Delivery letter = next(*dead);
  EXPECT_EQ(letter.correlation_id().size(), most);
  letter.ack();
}

/// What it took from the call that asked for it to the delivery.
class Stopwatch {
 public:
  void expect_about(milliseconds delay, milliseconds late) const {
    const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - began_);
    EXPECT_GE(took, delay - milliseconds(2)) << "two clocks, in whole milliseconds";
    EXPECT_LE(took, delay + late);
  }

 private:
  Clock::time_point began_ = Clock::now();
};

constexpr auto kLate = milliseconds(2000); // for a busy machine

class WireOfAType : public Wire, public testing::WithParamInterface<const char*> {};

TEST_P(WireOfAType, DelayedMessagesComeWhenDueAndWaitWhereTheReadmeSays) {
  MessageQueue mq = open_queue(app(GetParam()));
  auto subscription = mq.subscribe("tasks");
  const Stopwatch published;
  publish(mq, {.body = "later", .delay = milliseconds(1100)});
  EXPECT_THAT(broker().eval("[Name || Q <- rabbit_amqqueue:list(), "
                            "{resource, _, _, Name} <- [amqqueue:get_name(Q)]]"),
              HasSubstr("swapmq.delay.1024.tasks"));
  const Delivery first = next(*subscription);
  published.expect_about(milliseconds(1100), kLate);
  EXPECT_EQ(first.delivery_count(), 1U);
  const Stopwatch nacked;
  first.nack(milliseconds(700));
  const Delivery second = next(*subscription);
  nacked.expect_about(milliseconds(700), kLate);
  EXPECT_EQ(second.delivery_count(), 2U);
  EXPECT_TRUE(second.redelivered());
  second.ack();
  EXPECT_EQ(second.wait_settled(kSoon).code(), Errc::ok);
  expect_broker_is_empty();
}

TEST_P(WireOfAType, ADelayOutlastsTheBrokersRestart) {
  MessageQueue mq = open_queue(app(GetParam()));
  const Stopwatch published;
  publish(mq, {.body = "later", .delay = milliseconds(7000)});
  broker().stop();
  broker().restart();
  auto subscription = mq.subscribe("tasks");
  auto got = subscription->receive(1, milliseconds(15'000));
  ASSERT_TRUE(got) << got.error().message();
  ASSERT_EQ(got->size(), 1U);
  published.expect_about(milliseconds(7000), milliseconds(7000)); // its time begins anew there
  got->front().ack();
}

INSTANTIATE_TEST_SUITE_P(Of, WireOfAType, testing::Values("quorum", "classic"),
                         [](const auto& type) { return std::string(type.param); });

/// Also the way through a delay queue and back by a nack leaves them as they were.
TEST_F(Wire, HeadersThatMeanSomethingToTheBrokerComeBackInOrder) {
  MessageQueue mq = open_queue(app());
  ASSERT_FALSE(mq.create_queue("elsewhere"));
  const std::vector<Header> headers{{"z", "first"},
                                    {"CC", "elsewhere"},
                                    {"BCC", "elsewhere"},
                                    {"x-death", "d"},
                                    {"x-delay", "1"},
                                    {"x-first-death-queue", "q"},
                                    {"x-delivery-count", "9"},
                                    {"x-swapmq-nacks", "3"},
                                    {"a", "last"}};
  const std::string sent = text_of(headers);
  auto subscription = mq.subscribe("tasks");
  publish(mq, {.body = "now", .headers = headers});
  const Delivery first = next(*subscription);
  EXPECT_EQ(text_of(first.headers()), sent);
  EXPECT_EQ(first.delivery_count(), 1U);
  first.nack(milliseconds(200));
  const Delivery second = next(*subscription);
  EXPECT_EQ(text_of(second.headers()), sent);
  EXPECT_EQ(second.delivery_count(), 2U);
  second.ack();
  publish(mq, {.body = "later", .headers = headers, .delay = milliseconds(300)});
  const Delivery third = next(*subscription);
  EXPECT_EQ(text_of(third.headers()), sent);
  third.ack();
  EXPECT_EQ(*mq.size("elsewhere"), 0U) << "it was sent nowhere else";
}

} // namespace
} // namespace swapmq::live
