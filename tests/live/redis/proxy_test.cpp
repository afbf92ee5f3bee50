// SPDX-License-Identifier: MIT
//
// The proxy between a client and its server does what it is told, to the byte.
#include "../support/proxy.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>

#include "fake_server.hpp"
#include "redis_client.hpp"

namespace swapmq::live {
namespace {

class ProxyTest : public testing::Test {
 protected:
  RedisClient connect() const { return RedisClient(connect_to(proxy_.port())); }

  // To GET: 26 letters in one reply of 33 bytes.
  FakeServer server_{[](const Command& command) -> std::optional<Answer> {
    if (command.front() != "GET") return std::nullopt;
    return resp::bulk("abcdefghijklmnopqrstuvwxyz");
  }};
  Proxy proxy_{server_.port()};
};

TEST_F(ProxyTest, PassesAndCounts) {
  RedisClient client = connect();
  EXPECT_EQ(client.ask({"PING"}).text, "PONG");
  EXPECT_EQ(proxy_.bytes(Way::requests), resp::command({"PING"}).size());
  EXPECT_EQ(proxy_.bytes(Way::replies), 7U);
  EXPECT_EQ(proxy_.accepted(), 1U);
  EXPECT_EQ(proxy_.open(), 1U);
}

TEST_F(ProxyTest, PassesWhatIsLarge) {
  RedisClient client = connect();
  const std::string large(20 << 20, 'x');
  EXPECT_EQ(client.ask({"PING", large}).text, large);
}

TEST_F(ProxyTest, PassesOnThatASideCloses) {
  {
    RedisClient client = connect();
    client.ask({"PING"});
  }
  EXPECT_TRUE(proxy_.await_that([](const Proxy& proxy) { return proxy.open() == 0; }));
  EXPECT_TRUE(await([this] { return server_.open() == 0; }));
}

TEST_F(ProxyTest, CutsAfterEachByteOfAReply) {
  const std::string whole = resp::bulk("abcdefghijklmnopqrstuvwxyz");
  for (std::size_t count = 0; count <= whole.size(); ++count) {
    RedisClient client = connect();
    client.ask({"PING"});
    proxy_.cut_after(Way::replies, count);
    client.send({"GET", "x"});
    EXPECT_EQ(client.rest(), whole.substr(0, count));
    EXPECT_EQ(proxy_.faults(), count + 1);
  }
  EXPECT_EQ(connect().ask({"PING"}).text, "PONG") << "a fault happens once";
}

TEST_F(ProxyTest, CutsAfterSomeOfARequest) {
  RedisClient client = connect();
  proxy_.cut_after(Way::requests, resp::command({"PING"}).size() + 3);
  EXPECT_EQ(client.ask({"PING"}).text, "PONG");
  client.send({"GET", "x"});
  EXPECT_EQ(client.rest(), "");
  EXPECT_EQ(server_.commands(), (std::vector<Command>{{"PING"}}));
}

TEST_F(ProxyTest, ResetsBothSides) {
  for (const Way way : {Way::requests, Way::replies}) {
    const Descriptor client = connect_to(proxy_.port());
    ASSERT_TRUE(client.valid());
    ASSERT_TRUE(proxy_.await_that([](const Proxy& proxy) { return proxy.open() == 1; }));
    const auto faults = proxy_.faults();
    proxy_.reset_after(way, 3);
    const std::string ping = resp::command({"PING"});
    ASSERT_EQ(::send(client.get(), ping.data(), ping.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(ping.size()));
    EXPECT_TRUE(proxy_.await_that([&](const Proxy& proxy) { return proxy.faults() > faults; }));
    ASSERT_TRUE(await([&] {
      char byte = 0;
      const ssize_t got = ::recv(client.get(), &byte, 1, 0);
      EXPECT_NE(got, 0) << "an end, which is no reset";
      return got == 0 || (got < 0 && errno == ECONNRESET);
    }));
  }
  EXPECT_EQ(connect().ask({"PING"}).text, "PONG");
}

TEST_F(ProxyTest, ReplacesFromAByteOn) {
  RedisClient client = connect();
  proxy_.replace_after(Way::replies, 8, "?!");
  client.send({"GET", "x"});
  EXPECT_EQ(client.some(10), "$26\r\nabc?!");
  client.send({"PING"});
  EXPECT_TRUE(server_.await_command("PING"));
  EXPECT_THROW(client.some(1, milliseconds(50)), std::runtime_error) << "the rest is swallowed";
  EXPECT_EQ(connect().ask({"PING"}).text, "PONG") << "in that connection alone";
}

TEST_F(ProxyTest, HoldsAndReleases) {
  for (const Way way : {Way::requests, Way::replies}) {
    RedisClient client = connect();
    client.ask({"PING"});
    const std::uint64_t before = proxy_.bytes(way);
    proxy_.hold(way);
    client.send({"PING"});
    EXPECT_TRUE(proxy_.await_that([way](const Proxy& proxy) { return proxy.held(way) > 0; }));
    EXPECT_EQ(proxy_.bytes(way), before);
    EXPECT_THROW(client.some(1, milliseconds(50)), std::runtime_error);
    proxy_.release(way);
    EXPECT_EQ(client.some(7), "+PONG\r\n");
  }
}

TEST_F(ProxyTest, HoldsOpenConnectionsAloneAndPassesOnWhatTheyLeft) {
  {
    RedisClient client = connect();
    client.ask({"PING"});
    proxy_.hold_open(Way::requests);
    client.send({"GET", "x"});
    EXPECT_TRUE(proxy_.await_that([](const Proxy& p) { return p.held(Way::requests) > 0; }));
  }
  RedisClient another = connect();
  EXPECT_EQ(another.ask({"PING"}).text, "PONG");
  EXPECT_EQ(server_.commands(), (std::vector<Command>{{"PING"}, {"PING"}}));
  proxy_.release(Way::requests);
  EXPECT_TRUE(server_.await_command("GET")) << "though its client has gone";
  EXPECT_EQ(server_.open(), 2U) << "it was not told so";
}

TEST_F(ProxyTest, SwallowsInOpenConnectionsAlone) {
  RedisClient client = connect();
  client.ask({"PING"});
  proxy_.swallow(Way::replies);
  client.send({"GET", "x"});
  EXPECT_TRUE(server_.await_command("GET"));
  EXPECT_THROW(client.some(1, milliseconds(50)), std::runtime_error);
  EXPECT_EQ(connect().ask({"PING"}).text, "PONG");
}

TEST_F(ProxyTest, DropsAllAndRefuses) {
  RedisClient first = connect();
  RedisClient second = connect();
  first.ask({"PING"});
  second.ask({"PING"});
  proxy_.refuse(true);
  proxy_.drop_all();
  EXPECT_EQ(first.rest(), "");
  EXPECT_EQ(second.rest(), "");
  EXPECT_EQ(connect().rest(), "");
  EXPECT_EQ(proxy_.accepted(), 2U);
  proxy_.heal();
  EXPECT_EQ(connect().ask({"PING"}).text, "PONG");
}

TEST_F(ProxyTest, Delays) {
  RedisClient client = connect();
  client.ask({"PING"});
  proxy_.delay(Way::replies, milliseconds(80));
  const auto before = Clock::now();
  EXPECT_EQ(client.ask({"PING"}).text, "PONG");
  EXPECT_GE(Clock::now() - before, milliseconds(80));
}

TEST_F(ProxyTest, DropsWhereNobodyListens) {
  const ReservedPort nobody;
  const Proxy proxy(nobody.number());
  EXPECT_EQ(RedisClient(connect_to(proxy.port())).rest(), "");
}

} // namespace
} // namespace swapmq::live
