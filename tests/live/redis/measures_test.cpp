// SPDX-License-Identifier: MIT
//
// What the options say about how much at a time, how often and how long is what the server sees.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <vector>

#include "../../support/backend_driver.hpp"
#include "network/transport.hpp"
#include "polite_server.hpp"
#include "resp.hpp"

namespace swapmq::live {
namespace {

using test::OpenedBackend;
using test::Published;
using test::SessionPtr;

std::string options(const FakeServer& server, const std::string& more = "") {
  return "{\"port\":" + std::to_string(server.port()) + (more.empty() ? "" : ",") + more + "}";
}

std::vector<Command> seen_at(const FakeServer& server, Place place) {
  std::vector<Command> all = server.commands();
  std::erase_if(all, [&](const Command& command) { return place_of(command) != place; });
  return all;
}

/// How many entries a read asked for.
std::size_t asked(const Command& read) {
  const auto count = std::find(read.begin(), read.end(), "COUNT");
  return count == read.end() ? 0 : std::stoul(*std::next(count));
}

/// Answers a read with one entry, its body of this size.
PlaceScript reads_of(std::size_t body) {
  return [body, id = 0](Place at, const Command&) mutable -> std::optional<Answer> {
    if (at != Place::xreadgroup) return std::nullopt;
    return Answer(entries("1700000000000-" + std::to_string(++id),
                          {"message_id", "m", "data", std::string(body, 'x')}));
  };
}

/// A server where nothing comes, and a read that is told to end does.
class Idle {
 public:
  Idle()
      : server_(polite([this](Place at, const Command&) -> std::optional<Answer> {
          if (at == Place::unblock) server_.say_to("XREADGROUP", "*-1\r\n");
          if (at != Place::xreadgroup) return std::nullopt;
          return Answer();
        })) {}
  FakeServer& server() { return server_; }

 private:
  FakeServer server_;
};

// ---- how much -----------------------------------------------------------------------------------

TEST(Measures, TheFirstReadIsCarefulAndSmallMessagesAreSoonReadByThousands) {
  const FakeServer server(polite(reads_of(10)));
  const OpenedBackend opened(options(server));
  SessionPtr session(opened);
  swapmq_subscription* subscription = session.subscribe(session.queue("q"), 6000);
  session.receive(subscription, 6000, milliseconds(10'000));
  session.receive(subscription, 6000, milliseconds(10'000));
  const std::vector<Command> reads = seen_at(server, Place::xreadgroup);
  ASSERT_EQ(reads.size(), 2U);
  EXPECT_EQ(asked(reads[0]), 64U);
  EXPECT_EQ(asked(reads[1]), 4096U);
  EXPECT_EQ(seen_at(server, Place::script_take).at(0).at(11), "64") << "and so is the first take";
}

TEST(Measures, AReadAsksForNoMoreThanItsBatch) {
  const FakeServer server(polite(reads_of(10)));
  const OpenedBackend opened(options(server, R"("read_batch":7)"));
  SessionPtr session(opened);
  swapmq_subscription* subscription = session.subscribe(session.queue("q"), 6000);
  for (int i = 0; i < 3; ++i) session.receive(subscription, 6000, milliseconds(10'000));
  for (const Command& read : seen_at(server, Place::xreadgroup)) EXPECT_EQ(asked(read), 7U);
}

TEST(Measures, AReadAsksForAboutAsManyBytesAsItIsTold) {
  const FakeServer server(polite(reads_of(10'000)));
  const OpenedBackend opened(options(server, R"("read_batch_bytes":100000)"));
  SessionPtr session(opened);
  swapmq_subscription* subscription = session.subscribe(session.queue("q"), 6000);
  for (int i = 0; i < 2; ++i) session.receive(subscription, 6000, milliseconds(10'000));
  const std::vector<Command> reads = seen_at(server, Place::xreadgroup);
  ASSERT_EQ(reads.size(), 2U);
  EXPECT_EQ(asked(reads[0]), 1U);
  EXPECT_GE(asked(reads[1]), 8U);
  EXPECT_LE(asked(reads[1]), 10U);
}

TEST(Measures, APublishSendsNoMoreThanItsWindowWithoutAnAnswer) {
  const FakeServer server(polite([](Place at, const Command&) -> std::optional<Answer> {
    if (at != Place::xadd) return std::nullopt;
    return Answer();
  }));
  const OpenedBackend opened(options(server, R"("publish_chunk":5,"publish_window":10)"));
  SessionPtr session(opened, SWAPMQ_ROLE_PUBLISH);
  std::vector<test::Text> texts(100, {.id = "m", .body = "b"});
  const Published published = session.publish(session.queue("q"), texts, milliseconds(200));
  EXPECT_EQ(seen_at(server, Place::xadd).size(), 10U);
  const auto in_doubt =
      std::count_if(published.results.begin(), published.results.end(),
                    [](const auto& result) { return result.outcome == SWAPMQ_PUBLISH_IN_DOUBT; });
  EXPECT_EQ(in_doubt, 10);
}

TEST(Measures, SettlementsGoInBatches) {
  const FakeServer server(polite([](Place at, const Command&) -> std::optional<Answer> {
    if (at != Place::xreadgroup) return std::nullopt;
    std::string all = "*1\r\n*2\r\n" + resp::bulk("q") + "*10\r\n";
    for (int i = 0; i < 10; ++i) {
      all += "*2\r\n" + resp::bulk("1-" + std::to_string(i)) + resp::command({"data", "x"});
    }
    return Answer(all);
  }));
  const OpenedBackend opened(options(server, R"("ack_batch":3,"script_batch":4)"));
  SessionPtr session(opened);
  swapmq_subscription* subscription = session.subscribe(session.queue("q"), 10);
  for (const int32_t action : {SWAPMQ_SETTLE_ACK, SWAPMQ_SETTLE_RELEASE}) {
    const test::BatchPtr batch = session.receive(subscription, 10, milliseconds(10'000));
    ASSERT_EQ(batch.size(), 10U);
    std::vector<swapmq_settlement> all;
    for (std::size_t i = 0; i < 10; ++i) all.push_back(test::settlement(batch[i], action));
    for (const swapmq_status status : session.exchange(subscription, all, 0).statuses) {
      EXPECT_EQ(status, SWAPMQ_OK);
    }
  }
  EXPECT_EQ(seen_at(server, Place::xack).size(), 4U);
  EXPECT_EQ(seen_at(server, Place::script_give_back).size(), 3U);
}

// ---- how often, how long ------------------------------------------------------------------------

/// A group that was lost and is there again is searched for what came back while a read is
/// answered.
TEST(Measures, WhatIsNewAndWhatCameBackAreTogetherNoMoreThanAskedFor) {
  int reads = 0;
  FakeServer server(polite([&](Place at, const Command&) -> std::optional<Answer> {
    if (at == Place::unblock) server.say_to("XREADGROUP", entries("1-1", {"data", "new"}));
    if (at != Place::xreadgroup) return std::nullopt;
    return Answer(++reads == 1 ? "-NOGROUP No such key\r\n" : "");
  }));
  const OpenedBackend opened(options(server, ""));
  SessionPtr session(opened);
  session.receive(session.subscribe(session.queue("q")), 10, milliseconds(5000));
  const std::vector<Command> takes = seen_at(server, Place::script_take);
  ASSERT_EQ(takes.size(), 2U);
  constexpr std::size_t kCount = 11; // EVALSHA, the script, 6, its keys, group, consumer
  EXPECT_EQ(takes[0].at(kCount), "10");
  EXPECT_EQ(takes[1].at(kCount), "9") << "one is here already";
}

TEST(Measures, AReadBlocksForAsLongAsItIsTold) {
  Idle idle;
  const OpenedBackend opened(options(idle.server(), R"("block_ms":1234)"));
  SessionPtr session(opened);
  session.receive(session.subscribe(session.queue("q")), 10, milliseconds(50));
  const Command read = seen_at(idle.server(), Place::xreadgroup).at(0);
  const auto block = std::find(read.begin(), read.end(), "BLOCK");
  ASSERT_NE(block, read.end());
  EXPECT_EQ(*std::next(block), "1234");
}

TEST(Measures, WhatCameBackIsLookedForAsOftenAsItIsTold) {
  for (const bool often : {false, true}) {
    Idle idle;
    const std::string every = often ? "20" : "60000";
    const OpenedBackend opened(options(idle.server(), "\"take_interval_ms\":" + every));
    SessionPtr session(opened);
    session.receive(session.subscribe(session.queue("q")), 10, milliseconds(500));
    const std::size_t takes = seen_at(idle.server(), Place::script_take).size();
    EXPECT_GE(takes, often ? 5U : 1U);
    EXPECT_LE(takes, often ? 25U : 1U);
  }
}

/// How long a call takes, with a server that is silent in one place.
template <class Call>
milliseconds time_of(Place silent, const std::string& more, Call&& call) {
  const FakeServer server(polite([=](Place at, const Command&) -> std::optional<Answer> {
    if (at != silent) return std::nullopt;
    return Answer();
  }));
  const OpenedBackend opened(options(server, more));
  SessionPtr session(opened);
  swapmq_subscription* subscription = session.subscribe(session.queue("q"), 1);
  const test::BatchPtr batch = session.receive(subscription, 1, milliseconds(10'000));
  EXPECT_EQ(batch.size(), 1U);
  const auto began = Clock::now();
  call(session, subscription, batch);
  return std::chrono::duration_cast<milliseconds>(Clock::now() - began);
}

TEST(Measures, AnExchangeEndsSoLongAfterItsDeadline) {
  for (const int grace : {100, 1000}) {
    const milliseconds took = time_of(
        Place::xack, "\"settle_grace_ms\":" + std::to_string(grace),
        [](SessionPtr& session, swapmq_subscription* subscription, const auto& batch) {
          session.exchange(subscription, {test::settlement(batch[0], SWAPMQ_SETTLE_ACK)}, 0);
        });
    EXPECT_GE(took, milliseconds(grace));
    EXPECT_LT(took, milliseconds(grace + 900));
  }
}

TEST(Measures, AConsumerLeavesInTheTimeThatItHas) {
  for (const int timeout : {100, 1000}) {
    const milliseconds took =
        time_of(Place::script_leave, "\"close_timeout_ms\":" + std::to_string(timeout),
                [](SessionPtr& session, swapmq_subscription* subscription, const auto&) {
                  test::plugin().unsubscribe(session.session, subscription);
                });
    EXPECT_GE(took, milliseconds(timeout));
    EXPECT_LT(took, milliseconds(timeout + 900));
  }
}

TEST(Measures, AConnectionIsProbedAfterTheSilenceThatItIsTold) {
  const FakeServer server;
  for (const int seconds : {0, 15, 77}) {
    network::Endpoint endpoint;
    endpoint.port = static_cast<uint16_t>(server.port());
    endpoint.keepalive_seconds = static_cast<uint64_t>(seconds);
    network::Resolver resolver;
    const auto transport = network::Transport::connect(
        endpoint, resolver, nullptr, backend::Deadline(test::in(milliseconds(10'000))), nullptr);
    const auto option = [&](int level, int name) {
      int value = 0;
      socklen_t size = sizeof value;
      EXPECT_EQ(getsockopt(transport->fd(), level, name, &value, &size), 0);
      return value;
    };
    EXPECT_EQ(option(SOL_SOCKET, SO_KEEPALIVE), seconds == 0 ? 0 : 1);
    if (seconds == 0) continue;
    EXPECT_EQ(option(IPPROTO_TCP, TCP_KEEPIDLE), seconds);
  }
}

} // namespace
} // namespace swapmq::live
