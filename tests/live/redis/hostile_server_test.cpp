// SPDX-License-Identifier: MIT
//
// A server that logs us in and then answers with what no Redis would: nothing is confirmed by it,
// calls end in time, and memory is bounded.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <ostream>
#include <string>

#include "fake_server.hpp"
#include "redis_app.hpp"

namespace swapmq::live {
namespace {

constexpr auto kTimeout = milliseconds(600);
constexpr auto kLate = milliseconds(1500); // for a busy machine
constexpr std::size_t kMostGrowth = 64 << 20;

/// What is resident in memory, in bytes.
std::size_t resident() {
  std::ifstream statm("/proc/self/statm");
  std::size_t all = 0;
  std::size_t pages = 0;
  statm >> all >> pages;
  return pages * static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
}

/// This to each command but those by which a client logs in.
Script hostile(const Answer& answer) {
  return [answer](const Command& command) -> std::optional<Answer> {
    const std::string& word = command.front();
    if (word == "HELLO" || word == "CLIENT" || word == "SELECT" || word == "AUTH") {
      return std::nullopt;
    }
    return answer;
  };
}

AppConfig config_for(const FakeServer& server) {
  AppConfig config;
  config.broker.port = server.port();
  config.broker.more = R"("connection_timeout_seconds":0.5,"retry_delay_seconds":0.01)";
  return config;
}

/// Every call ends in time, and none of them believes it.
void expect_not_believed(const Answer& answer) {
  const FakeServer server(hostile(answer));
  MessageQueue mq = open_queue(config_for(server));
  const std::size_t before = resident();
  const auto began = Clock::now();
  const Sent sent = mq.publish("tasks", "body", {.timeout = kTimeout});
  EXPECT_FALSE(sent);
  EXPECT_THAT(sent.error().message(), testing::Not(testing::IsEmpty()));
  EXPECT_FALSE(mq.stats("tasks", kTimeout));
  EXPECT_FALSE(mq.purge("tasks", kTimeout));
  auto subscription = mq.subscribe("tasks");
  ASSERT_TRUE(subscription);
  auto received = subscription->receive(10, kTimeout);
  EXPECT_TRUE(!received || received->empty());
  EXPECT_LT(Clock::now() - began, 4 * (kTimeout + kLate));
  EXPECT_LT(resident(), before + kMostGrowth);
  EXPECT_FALSE(mq.close(milliseconds(5000))) << "closing ends, too";
}

struct Hostile {
  std::string name, bytes;
};
void PrintTo(const Hostile& hostile, std::ostream* out) { *out << hostile.name; }

class HostileAnswers : public testing::TestWithParam<Hostile> {};

TEST_P(HostileAnswers, AreNotBelieved) { expect_not_believed(Answer(GetParam().bytes)); }

std::string nested(int depth) {
  std::string bytes;
  for (int i = 0; i < depth; ++i) bytes += "*1\r\n";
  return bytes + ":1\r\n";
}

INSTANTIATE_TEST_SUITE_P(
    Each, HostileAnswers,
    testing::Values(Hostile{"Integer", ":-5\r\n"}, Hostile{"Status", "+FINE\r\n"},
                    Hostile{"Null", "$-1\r\n"}, Hostile{"NullArray", "*-1\r\n"},
                    Hostile{"EmptyArray", "*0\r\n"}, Hostile{"EmptyText", "$0\r\n\r\n"},
                    Hostile{"TextThatIsNoId", "$5\r\nhello\r\n"},
                    Hostile{"ArrayOfNulls", "*3\r\n$-1\r\n$-1\r\n$-1\r\n"},
                    Hostile{"MixedArray", "*4\r\n:1\r\n$1\r\nx\r\n*1\r\n+y\r\n-ERR z\r\n"},
                    Hostile{"NegativeLength", "$-77\r\nx\r\n"},
                    Hostile{"HugeText", "$9223372036854775807\r\nx"},
                    Hostile{"HugeArray", "*2147483647\r\n:1\r\n"},
                    Hostile{"DeepNesting", nested(100'000)}, Hostile{"NoType", "hello\r\n"},
                    Hostile{"Nuls", std::string(64, '\0')}, Hostile{"NoEndOfLine", "+"},
                    Hostile{"Resp3Map", "%1\r\n+a\r\n:1\r\n"}, Hostile{"ErrorWithoutText", "-\r\n"},
                    Hostile{"ErrorOfAMegabyte", "-" + std::string(1 << 20, 'E') + "\r\n"}),
    [](const testing::TestParamInfo<Hostile>& hostile_answer) {
      return hostile_answer.param.name;
    });

TEST(HostileServer, NeverEndsALine) {
  Answer answer("+");
  answer.endless = std::string(4096, 'x');
  expect_not_believed(answer);
}

TEST(HostileServer, NeverEndsAnArray) {
  Answer answer("*2147483647\r\n");
  answer.endless = ":1\r\n:2\r\n:3\r\n:4\r\n";
  expect_not_believed(answer);
}

TEST(HostileServer, NeverEndsAText) {
  Answer answer("$2147483647\r\n");
  answer.endless = std::string(4096, 'x');
  expect_not_believed(answer);
}

TEST(HostileServer, AnswersWhatNobodyAsked) {
  FakeServer server;
  MessageQueue mq = open_queue(config_for(server));
  ASSERT_FALSE(mq.ping(milliseconds(5000)));
  server.say("$15\r\n1700000000000-0\r\n");
  // Not taken for the answer to what is asked next: the server knows no such command.
  EXPECT_FALSE(mq.publish("tasks", "body", {.timeout = kTimeout}));
}

} // namespace
} // namespace swapmq::live
