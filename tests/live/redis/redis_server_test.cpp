// SPDX-License-Identifier: MIT
//
// The servers that tests start are what they say, and end when told.
#include "redis_server.hpp"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>
#include <string>

#include "redis_client.hpp"

namespace swapmq::live {
namespace {

class EachSetUp : public testing::TestWithParam<std::string> {};

TEST_P(EachSetUp, AnswersAndListensWhereItSays) {
  const RedisServer server(*redis_setup(GetParam()));
  EXPECT_EQ(server.command({"PING"}), "PONG");
  EXPECT_EQ(server.info("process_id"), std::to_string(server.pid()));
  const bool tcp = GetParam() != "unix";
  EXPECT_EQ(server.port() != 0, tcp);
  EXPECT_EQ(tcp && connect_to(server.port()).valid(), tcp);
  EXPECT_EQ(server.options().tls, GetParam() == "tls");
  EXPECT_NE(server.options().json().find(tcp ? std::to_string(server.port()) : server.socket()),
            std::string::npos);
}

std::string name_of(const testing::TestParamInfo<std::string>& info) { return info.param; }
INSTANTIATE_TEST_SUITE_P(RedisServer, EachSetUp, testing::ValuesIn(redis_setup_names()), name_of);

TEST(RedisServer, SeveralHaveTheirOwnPortsAndFolders) {
  const RedisServer first;
  const RedisServer second;
  const RedisServer third;
  EXPECT_EQ(std::set<int>({first.port(), second.port(), third.port()}).size(), 3U);
  first.ask({"SET", "key", "of the first"});
  EXPECT_EQ(second.command({"GET", "key"}), "(nil)");
}

TEST(RedisServer, GoesToAnotherPortWhereTheOneIsTaken) {
  const Listener other;
  RedisSetup setup;
  setup.port = other.port;
  const RedisServer server(setup);
  EXPECT_NE(server.port(), other.port);
  EXPECT_EQ(server.command({"PING"}), "PONG");
}

TEST(RedisServer, ShowsWhatTheServerSaidWhereItDoesNotStart) {
  RedisSetup setup;
  setup.more = {"no-such-directive yes"};
  try {
    const RedisServer server(setup);
    FAIL() << "it started";
  } catch (const std::runtime_error& failure) {
    EXPECT_NE(std::string(failure.what()).find("Bad directive"), std::string::npos)
        << failure.what();
  }
}

TEST(RedisServer, KilledAndRestartedHasItsPortAndWhatItKept) {
  RedisServer server(*redis_setup("aof_always"));
  const int port = server.port();
  server.ask({"SET", "key", "kept"});
  server.kill();
  EXPECT_FALSE(server.running());
  EXPECT_FALSE(connect_to(port).valid());
  server.restart();
  EXPECT_EQ(server.port(), port);
  EXPECT_TRUE(connect_to(port).valid());
  EXPECT_EQ(server.command({"GET", "key"}), "kept");
}

TEST(RedisServer, WithoutAnAofForgets) {
  RedisServer server;
  server.ask({"SET", "key", "forgotten"});
  server.restart();
  EXPECT_EQ(server.command({"GET", "key"}), "(nil)");
}

TEST(RedisServer, PausedIsSilentAndResumedAnswers) {
  const RedisServer server;
  RedisClient client(server.socket());
  server.pause();
  EXPECT_THROW(client.ask({"PING"}, milliseconds(50)), std::runtime_error);
  server.resume();
  RedisClient another(server.socket());
  EXPECT_EQ(another.ask({"PING"}).to_text(), "PONG");
}

TEST(RedisServer, TheUserOfTheAclMayDoWhatQueuesNeedAndNoMore) {
  const RedisServer server(*redis_setup("acl"));
  const RedisOptions options = server.options();
  RedisClient client(server.socket());
  EXPECT_NE(client.ask({"PING"}).to_text().find("NOAUTH"), std::string::npos);
  ASSERT_EQ(client.ask({"AUTH", options.user, options.password}).to_text(), "OK");
  EXPECT_EQ(client.ask({"XADD", "q", "1-1", "body", "x"}).to_text(), "1-1");
  EXPECT_EQ(client.ask({"EVAL", "return redis.call('XLEN', KEYS[1])", "1", "q"}).to_text(), "1");
  const std::vector<std::vector<std::string>> forbidden{
      {"FLUSHALL"}, {"SHUTDOWN"}, {"KEYS", "*"}, {"CONFIG", "GET", "dir"}};
  for (const auto& words : forbidden) {
    EXPECT_NE(client.ask(words).to_text().find("NOPERM"), std::string::npos) << words.front();
  }
}

TEST(RedisServer, AFullMemoryRefusesWrites) {
  const RedisServer server(*redis_setup("maxmemory"));
  const std::string body(1 << 20, 'x');
  resp::Value last;
  for (int i = 0; i < 20 && last.kind != resp::Value::Kind::error; ++i) {
    last = server.ask({"XADD", "q", "*", "body", body});
  }
  EXPECT_EQ(last.text.substr(0, 3), "OOM") << last.to_text();
}

} // namespace
} // namespace swapmq::live
