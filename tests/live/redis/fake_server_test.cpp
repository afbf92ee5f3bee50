// SPDX-License-Identifier: MIT
//
// The server that says what a test wants: by default what a real one says, and else to the letter.
#include "fake_server.hpp"

#include <gtest/gtest.h>

#include <string>

#include "../support/port.hpp"
#include "redis_client.hpp"
#include "redis_server.hpp"

namespace swapmq::live {
namespace {

TEST(FakeServer, GreetsAsARealServerDoes) {
  const RedisServer real;
  const FakeServer fake;
  const std::vector<std::vector<std::string>> commands{
      {"HELLO", "2"}, {"SELECT", "1"}, {"CLIENT", "SETNAME", "x"}, {"PING"}, {"PING", "text"}};
  RedisClient to_real(connect_to(real.port()));
  RedisClient to_fake(connect_to(fake.port()));
  for (const auto& words : commands) {
    resp::Value expected = to_real.ask(words);
    resp::Value answered = to_fake.ask(words);
    if (words.front() == "HELLO") { // but for the connection's number
      ASSERT_EQ(expected.elements.size(), 14U);
      ASSERT_EQ(answered.elements.size(), 14U);
      expected.elements[7] = answered.elements[7];
    }
    EXPECT_EQ(answered.to_text(), expected.to_text());
    EXPECT_EQ(answered.kind, expected.kind);
  }
  EXPECT_EQ(to_fake.ask({"NONESUCH"}).kind, resp::Value::Kind::error);
}

TEST(FakeServer, IsOfAnotherVersion) {
  const FakeServer six({}, "6.0.16");
  EXPECT_EQ(RedisClient(connect_to(six.port())).ask({"hello", "2"}).elements.at(3).text, "6.0.16");
  const FakeServer five({}, "5.0.14");
  EXPECT_NE(RedisClient(connect_to(five.port())).ask({"hello", "2"}).text.find("unknown command"),
            std::string::npos);
}

TEST(FakeServer, SaysRawBytesAndCloses) {
  const FakeServer server([](const Command& command) -> std::optional<Answer> {
    if (command.front() != "GET") return std::nullopt;
    return Answer("$1000000000000\r\nabc", true);
  });
  RedisClient client(connect_to(server.port()));
  EXPECT_EQ(client.ask({"PING"}).text, "PONG");
  client.send({"get", "key"});
  EXPECT_EQ(client.rest(), "$1000000000000\r\nabc");
  EXPECT_EQ(server.commands(), (std::vector<Command>{{"PING"}, {"GET", "key"}}));
}

TEST(FakeServer, SaysWhatNobodyAskedFor) {
  FakeServer server;
  RedisClient client(connect_to(server.port()));
  EXPECT_EQ(client.ask({"PING"}).text, "PONG");
  server.say(":1\r\n");
  EXPECT_EQ(client.some(4), ":1\r\n");
}

TEST(FakeServer, NeverEndsAndNeedsNoMemoryForIt) {
  const FakeServer server([](const Command&) {
    Answer answer("$-");
    answer.endless = std::string(1000, '9');
    return answer;
  });
  RedisClient client(connect_to(server.port()));
  client.send({"PING"});
  for (int i = 0; i < 100; ++i) EXPECT_EQ(client.some(1 << 20).size(), std::size_t{1} << 20);
  EXPECT_GE(server.sent(), std::uint64_t{100} << 20);
}

TEST(FakeServer, IsSilent) {
  const FakeServer server(silence());
  RedisClient client(connect_to(server.port()));
  EXPECT_THROW(client.ask({"PING"}, milliseconds(50)), std::runtime_error);
  EXPECT_TRUE(server.await_command("PING"));
  EXPECT_FALSE(server.await_command("PING", 2, milliseconds(10)));
}

TEST(FakeServer, IsAnHttpServer) {
  const FakeServer server(http_server());
  RedisClient client(connect_to(server.port()));
  client.send({"HELLO", "2"});
  EXPECT_EQ(client.rest().find("HTTP/1.1 400 "), 0U);
}

TEST(FakeServer, CutsOffWhoDoesNotSpeakRedis) {
  const FakeServer server;
  const Descriptor socket = connect_to(server.port());
  EXPECT_EQ(write(socket.get(), "\x16\x03\x01\r\n", 5), 5);
  EXPECT_TRUE(await([&] { return server.not_understood() == 1 && server.open() == 0; }));
}

} // namespace
} // namespace swapmq::live
