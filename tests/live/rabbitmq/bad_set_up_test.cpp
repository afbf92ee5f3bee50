// SPDX-License-Identifier: MIT
//
// What an operator is told when the configuration and the broker do not fit: soon, what is wrong,
// where, what to do about it, and never the password.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "../redis/redis_server.hpp"
#include "../support/canned_server.hpp"
#include "../support/port.hpp"
#include "../support/proxy.hpp"
#include "../support/told.hpp"
#include "one_broker.hpp"
#include "rabbitmq_app.hpp"

namespace swapmq::live {
namespace {

using testing::AllOf;
using testing::AnyOf;
using testing::ContainsRegex;
using testing::Eq;
using testing::HasSubstr;

constexpr const char* kLimited = "limited";

RabbitmqOptions at_port(int port) {
  RabbitmqOptions options;
  options.port = port;
  options.password = kSecret;
  return options;
}

void expect_published(const RabbitmqOptions& options) {
  const Sent sent = open_queue(RabbitmqApp{options}).publish("tasks", "body");
  EXPECT_TRUE(sent) << sent.error().message();
}

class BadSetUp : public OneBroker {
 protected:
  /// Of a user who may not do everything in the virtual host: regular expressions.
  static RabbitmqOptions limited(const std::string& configure, const std::string& write,
                                 const std::string& read) {
    const auto binary = [](const std::string& text) { return "<<\"" + text + "\">>"; };
    const std::string user = binary(kLimited), by = binary("tests");
    broker().eval("rabbit_auth_backend_internal:exists(" + user +
                  ") orelse rabbit_auth_backend_internal:add_user(" + user + "," + binary(kSecret) +
                  "," + by + ")");
    EXPECT_EQ(broker().eval("rabbit_auth_backend_internal:set_permissions(" + user + ",<<\"/\">>," +
                            binary(configure) + "," + binary(write) + "," + binary(read) + "," +
                            by + ")"),
              "ok");
    RabbitmqOptions options = broker().options();
    options.username = kLimited;
    options.password = kSecret;
    return options;
  }
};

TEST_F(BadSetUp, TheBrokersOwnOptionsDo) {
  for (const RabbitmqOptions& options : {broker().options(), tls_options()}) {
    const Told said = told_by_ping(options);
    EXPECT_EQ(said.code, Errc::ok) << said.text;
    expect_published(options);
  }
}

// ---- login --------------------------------------------------------------------------------------

TEST_F(BadSetUp, WrongPassword) {
  RabbitmqOptions options = broker().options();
  options.password = kSecret;
  expect_both(options, Eq(Errc::access_denied), ContainsRegex("\"queues\".*\"password\""));
}

/// A broker, or what it asks, may lock out who fails too often.
TEST_F(BadSetUp, AWrongPasswordIsNotTriedAgain) {
  const Proxy proxy(broker().port());
  RabbitmqOptions options = broker().options();
  options.port = proxy.port();
  options.password = kSecret;
  const Told said = told_by_ping(options);
  EXPECT_FALSE(said.retryable) << said.text;
  EXPECT_EQ(proxy.accepted(), 1U) << said.text;
}

TEST_F(BadSetUp, WrongUser) {
  RabbitmqOptions options = broker().options();
  options.username = "nobody";
  options.password = kSecret;
  expect_both(options, Eq(Errc::access_denied), ContainsRegex("\"nobody\".*\"username\""));
}

TEST_F(BadSetUp, UnknownVirtualHost) {
  RabbitmqOptions options = broker().options();
  options.virtual_host = "nonesuch";
  expect_both(options, AnyOf(Errc::not_found, Errc::access_denied),
              ContainsRegex("virtual host \"nonesuch\".*virtual_host"));
  EXPECT_FALSE(told_by_ping(options).retryable);
}

TEST_F(BadSetUp, VirtualHostThatTheUserMayNotUse) {
  RabbitmqOptions options = limited(".*", ".*", ".*");
  broker().eval("rabbit_vhost:add(<<\"closed\">>, <<\"tests\">>)");
  options.virtual_host = "closed";
  expect_both(options, Eq(Errc::access_denied),
              ContainsRegex("\"limited\".*virtual host \"closed\".*set_permissions"));
  broker().eval("rabbit_vhost:delete(<<\"closed\">>, <<\"tests\">>)");
}

// ---- where --------------------------------------------------------------------------------------

TEST_F(BadSetUp, RefusedPort) {
  const ReservedPort nobody;
  expect_both(at_port(nobody.number()), Eq(Errc::unavailable), HasSubstr("refused"));
  EXPECT_TRUE(told_by_ping(at_port(nobody.number())).retryable);
}

TEST_F(BadSetUp, HostThatDoesNotResolve) {
  RabbitmqOptions options = at_port(5672);
  options.host = "rabbitmq.invalid"; // reserved never to exist
  // Without a name server that answers, the time is over before. The port is not what is wrong.
  expect_both(options, AnyOf(Errc::unavailable, Errc::timeout), HasSubstr("resolve"),
              "rabbitmq.invalid");
}

TEST_F(BadSetUp, HttpServer) {
  const CannedServer server(
      "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
      CannedServer::Then::close);
  expect_both(at_port(server.port()), Eq(Errc::unavailable), ContainsRegex("HTTP.*5672"));
}

TEST_F(BadSetUp, RedisServer) {
  const live::RedisServer server;
  expect_both(at_port(server.options().port), AnyOf(Errc::unavailable, Errc::timeout),
              ContainsRegex("not RabbitMQ|is it RabbitMQ"));
}

TEST_F(BadSetUp, ServerOfAnotherKind) {
  const CannedServer server("220 mail.example ESMTP\r\n");
  expect_both(at_port(server.port()), Eq(Errc::unavailable), HasSubstr("not RabbitMQ"));
}

TEST_F(BadSetUp, ServerOfAnotherAmqp) {
  const CannedServer server(std::string("AMQP\x03\x01\x00\x00", 8), CannedServer::Then::close);
  expect_both(at_port(server.port()), Eq(Errc::not_supported), HasSubstr("0-9-1"));
}

TEST_F(BadSetUp, ServerThatNeverAnswers) {
  const CannedServer server("");
  expect_both(at_port(server.port()), AnyOf(Errc::timeout, Errc::unavailable),
              HasSubstr("did not greet in time"));
}

TEST_F(BadSetUp, ServerThatCloses) {
  const CannedServer server("", CannedServer::Then::close);
  expect_both(at_port(server.port()), Eq(Errc::unavailable), ContainsRegex("greeting.*amqps"));
}

// ---- TLS ----------------------------------------------------------------------------------------

TEST_F(BadSetUp, TlsToAPlainPort) {
  RabbitmqOptions options = tls_options();
  options.port = broker().port();
  expect_both(options, AnyOf(Errc::unavailable, Errc::timeout),
              ContainsRegex("TLS.*(amqp://|plain|without \"tls\"|TLS port)"));
}

TEST_F(BadSetUp, PlainToATlsPort) {
  RabbitmqOptions options = broker().options();
  options.port = tls_options().port;
  expect_both(options, Eq(Errc::unavailable), ContainsRegex("TLS|amqps"));
}

TEST_F(BadSetUp, CertificateOfAnotherName) {
  RabbitmqOptions options = tls_options();
  options.server_name = "elsewhere.example";
  expect_both(options, Eq(Errc::unavailable), ContainsRegex("certificate.*server_name"));
}

TEST_F(BadSetUp, CertificateOfAnUnknownAuthority) {
  RabbitmqOptions options = tls_options();
  options.ca_file = broker().folder() / "foreign-ca.pem";
  expect_both(options, Eq(Errc::unavailable), ContainsRegex("certificate.*ca_file"));
}

TEST_F(BadSetUp, NoClientCertificateWhereOneIsNeeded) {
  RabbitmqOptions options = tls_options();
  options.certificate_file.clear();
  options.key_file.clear();
  expect_both(options, AnyOf(Errc::unavailable, Errc::access_denied),
              HasSubstr("certificate_file"));
}

// ---- permissions --------------------------------------------------------------------------------

/// The error that a consumer comes to, which goes on trying.
Told told_by_consumer(const RabbitmqOptions& options) {
  MessageQueue mq = open_queue(RabbitmqApp{options});
  auto consumer = mq.consume("tasks", {}, [](const Delivery&) { return ack(); });
  Told said;
  await([&] { return (said = told(consumer->last_error())).code != Errc::ok; },
        kToldIn + kToldLate);
  return said;
}

TEST_F(BadSetUp, UserWhoMayNotConfigure) {
  const RabbitmqOptions options = limited("", ".*", ".*");
  EXPECT_EQ(told_by_ping(options).code, Errc::ok);
  for (const Told& said : {told_by_publish(options), told_by_consumer(options)}) {
    expect_told(said, Eq(Errc::access_denied),
                AllOf(HasSubstr("queue 'tasks'"), ContainsRegex("configure.*set_permissions")));
    EXPECT_FALSE(said.retryable);
  }
}

TEST_F(BadSetUp, UserWhoMayNotWrite) {
  const RabbitmqOptions options = limited(".*", "", ".*");
  const Told said = told_by_publish(options);
  expect_told(said, Eq(Errc::access_denied),
              AllOf(HasSubstr("amq.default"), ContainsRegex("write.*set_permissions")));
  EXPECT_FALSE(said.retryable);
}

TEST_F(BadSetUp, UserWhoMayNotRead) {
  const RabbitmqOptions options = limited(".*", ".*", "");
  expect_published(options);
  expect_told(told_by_consumer(options), Eq(Errc::access_denied),
              AllOf(HasSubstr("queue 'tasks'"), ContainsRegex("read.*set_permissions")));
}

// ---- queues and messages ------------------------------------------------------------------------

TEST_F(BadSetUp, NameThatIsReserved) {
  MessageQueue mq = open_queue(RabbitmqApp{broker().options()});
  for (const char* name : {"amq.tasks", "amq."}) {
    const Sent sent = mq.publish(name, "body", {.timeout = kToldIn});
    EXPECT_EQ(sent.outcome(), Outcome::failed);
    expect_told(told(sent.error()), Eq(Errc::invalid_argument), HasSubstr("\"amq.\""));
    EXPECT_FALSE(sent.error().retryable());
  }
}

TEST_F(BadSetUp, QueueThatExistsWithAnotherType) {
  RabbitmqOptions classic = broker().options();
  classic.queue_type = "classic";
  ASSERT_FALSE(open_queue(RabbitmqApp{classic}).create_queue("tasks"));
  const RabbitmqOptions quorum = broker().options();
  for (const Told& said : {told_by_publish(quorum), told_by_consumer(quorum)}) {
    expect_told(said, Eq(Errc::conflict),
                AllOf(HasSubstr("tasks"), HasSubstr("'quorum'"), HasSubstr("'classic'"),
                      HasSubstr("queue_type")));
    EXPECT_FALSE(said.retryable);
  }
}

TEST_F(BadSetUp, MessageOverTheBrokersLimit) {
  const Setting small(broker(), "max_message_size", "100000");
  MessageQueue mq = open_queue(RabbitmqApp{broker().options()});
  const std::string body(100'001, 'x');
  for (const std::size_t at : {0, 1, 4}) {
    std::vector<Message> messages(5, Message{.body = "body"});
    messages[at].body = body;
    const std::vector<Sent> sent = mq.publish_many("tasks", messages);
    for (std::size_t i = 0; i < sent.size(); ++i) {
      if (i != at) {
        EXPECT_TRUE(sent[i]) << i << ", with the large one at " << at << ": "
                             << sent[i].error().message();
        continue;
      }
      EXPECT_EQ(sent[i].outcome(), Outcome::failed);
      EXPECT_EQ(sent[i].error().code(), Errc::too_large) << sent[i].error().message();
      EXPECT_FALSE(sent[i].error().retryable());
    }
  }
  EXPECT_TRUE(mq.publish("tasks", std::string(100'000, 'x'))) << "that is what it takes";
  // The first was found out by asking, and may have been asked twice; nothing else is.
  const auto size = await([&] { return *mq.size("tasks") >= 13; });
  EXPECT_TRUE(size) << *mq.size("tasks");
}

/// Not only that it is, but what is, and what would do.
TEST_F(BadSetUp, WhatIsTooLargeIsSaid) {
  const Setting small(broker(), "max_message_size", "100000");
  MessageQueue mq = open_queue(RabbitmqApp{broker().options()});
  for (int i = 0; i < 2; ++i) { // the broker says it once; then it is known
    const Sent body = mq.publish("tasks", std::string(100'001, 'x'));
    expect_told(told(body.error()), Eq(Errc::too_large), HasSubstr("100000"));
  }
  const std::string large(70'000, 'x');
  const Header header{"large", large};
  const Sent headers = mq.publish("tasks", Message{.body = "body", .headers = {&header, 1}});
  expect_told(told(headers.error()), Eq(Errc::too_large),
              ContainsRegex("headers have 70005 bytes.*49152"));
}

TEST_F(BadSetUp, HeadersOverTheLimit) {
  MessageQueue mq = open_queue(RabbitmqApp{broker().options()});
  const std::string large(50'000, 'x');
  const Header header{"large", large};
  const Sent sent = mq.publish("tasks", Message{.body = "body", .headers = {&header, 1}});
  EXPECT_EQ(sent.outcome(), Outcome::failed);
  EXPECT_EQ(sent.error().code(), Errc::too_large) << sent.error().message();
  EXPECT_FALSE(sent.error().retryable());
  const std::string fits(48'000, 'x');
  const Header other{"fits", fits};
  const Sent next = mq.publish("tasks", Message{.body = "body", .headers = {&other, 1}});
  EXPECT_TRUE(next) << next.error().message();
}

} // namespace
} // namespace swapmq::live
