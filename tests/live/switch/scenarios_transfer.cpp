// SPDX-License-Identifier: MIT
//
// Scenarios of the policy transfer: messages are moved by claim, publish, confirm, ack, while
// others consume, move the other way, or die.
#include <optional>

#include "scenario.hpp"

namespace switch_test {
namespace {

class Transfer : public Scenario {
 protected:
  // What nobody consumes is moved soon.
  Transfer() { set_switch_options(R"(,"stranded_timeout_seconds":0.5)"); }

  void expect_all_come(Host& host) const {
    host.tell("consume tasks ack 16 2");
    EXPECT_TRUE(await([this] { return books().missing().empty(); })) << books().summary();
  }
};

class TransferBetween : public Transfer, public testing::WithParamInterface<Move> {
 protected:
  const std::string from_ = GetParam().from, to_ = GetParam().to;
};

INSTANTIATE_TEST_SUITE_P(, TransferBetween,
                         testing::Values(Move{"redis_stream", "rabbitmq"},
                                         Move{"rabbitmq", "sqlite"},
                                         Move{"sqlite", "redis_stream"}),
                         move_name);

/// Both move what the other one has just brought, unless a message knows its way.
TEST_F(Transfer, OppositeDirectionsMovesCountedPerId) {
  auto first = start("first", "redis_stream");
  auto second = start("second", "rabbitmq");
  publish(*first, "first", 50);
  publish(*second, "second", 50);
  // They consume as well, and hold what they have got.
  for (Host* host : {first.get(), second.get()}) host->tell("consume tasks hold 5 1");
  await_count("held", 10);
  first->tell("switch rabbitmq transfer");
  second->tell("switch redis_stream transfer");
  EXPECT_TRUE(await([&] { return first->publishes_to("rabbitmq"); }));
  EXPECT_TRUE(await([&] { return second->publishes_to("redis_stream"); }));
  for (Host* host : {first.get(), second.get()}) host->tell("open tasks");
  EXPECT_TRUE(await([this] { return books().missing().empty(); })) << books().summary();
  expect_all_settled();
  EXPECT_LE(books().most("moved"), 1) << "each was moved once at most";
  std::printf("%zu were moved\n", books().count("moved"));
}

TEST_F(Transfer, OppositeDirectionsWithoutAConsumerMovesCountedPerId) {
  auto first = start("first", "redis_stream");
  auto second = start("second", "rabbitmq");
  publish(*first, "first", 50);
  publish(*second, "second", 50);
  first->tell("switch rabbitmq transfer");
  second->tell("switch redis_stream transfer");
  EXPECT_TRUE(await([&] { return first->publishes_to("rabbitmq"); }));
  EXPECT_TRUE(await([&] { return second->publishes_to("redis_stream"); }));
  // As long as it takes to be carried in a circle a hundred times without pauses.
  EXPECT_TRUE(lasts(milliseconds(4000), [&] { return first->pid() > 0; }));
  for (Host* host : {first.get(), second.get()}) host->tell("consume tasks ack 16 2");
  EXPECT_TRUE(await([this] { return books().missing().empty(); })) << books().summary();
  expect_all_settled(books().ids("moved"));
  // Pauses of half a second at least, each twice the one before: seven times each in half a minute.
  EXPECT_LE(books().most("moved"), 14) << "with longer and longer pauses";
  std::printf("moved %d times at the most\n", books().most("moved"));
}

/// Of what the second one brings to where the consumer is, the first one takes some away again.
TEST_F(Transfer, TwoOppositeProducersConsumerOnOneSideRestartedInMidMove) {
  auto consumer = start("consumer", "redis_stream");
  consumer->tell("consume tasks ack 16 2");
  auto first = start("first", "redis_stream");
  auto second = start("second", "rabbitmq");
  publish(*first, "first-early", 50);
  publish(*second, "second-early", 50);
  second->tell("kill 1 move: before the ack");
  first->tell("switch rabbitmq transfer");
  EXPECT_TRUE(await([&] { return first->publishes_to("rabbitmq"); }));
  second->tell("switch redis_stream transfer");
  ASSERT_TRUE(second->was_killed());
  publish(*first, "first-late", 50); // where nobody consumes
  second.reset();
  second = start("second", "redis_stream");
  EXPECT_TRUE(await([&] { return second->publishes_to("redis_stream"); }));
  publish(*second, "second-late", 50);
  await_count("ack", 200);
  // What a mover held when it was killed lies on both sides.
  expect_all_settled(books().ids("moved"));
}

TEST_P(TransferBetween, MoverKilledBetweenClaimPublishConfirmAndAck) {
  std::optional<Proxy> proxy;
  std::unique_ptr<Host> host;
  for (const char* place : {"move: claimed", "move: before the ack", "move: done", "the confirm"}) {
    const std::string word = std::string(place).substr(std::string(place).find(' ') + 1);
    const std::string name = "host-" + word.substr(0, word.find(' '));
    Sections way = sections();
    const bool by_proxy = std::string(place) == "the confirm";
    if (by_proxy && to_ != "sqlite") {
      proxy.emplace(port_of(to_));
      way = through(*proxy, to_);
    }
    if (host != nullptr) host->end();
    host = start(name, from_, way);
    publish(*host, name, 300);
    if (!by_proxy) {
      host->tell(std::string("kill 1 ") + place);
      host->tell("switch " + to_ + " transfer");
      ASSERT_TRUE(host->was_killed());
    } else if (proxy) {
      host->tell("pause 1 move: claimed");
      host->switch_to(to_, "transfer");
      ASSERT_TRUE(await([&] { return host->tell("paused") == "yes"; }));
      proxy->hold(Way::replies); // it publishes, and hears nothing
      host->tell("resume");
      ASSERT_TRUE(proxy->await_that([](const Proxy& p) { return p.held(Way::replies) > 0; }));
      host->kill();
      proxy->heal();
    }
    host.reset();
    host = start(name, to_, way);
    expect_all_come(*host);
  }
  expect_all_settled(books().ids("moved"));
  EXPECT_GT(books().count("moved"), 0U);
}

TEST_P(TransferBetween, ADelayedMessageFallsDueDuringTransfer) {
  constexpr milliseconds soon(1500);
  set_lease(milliseconds(30'000)); // longer than the mover is stopped
  auto other = start("other", from_);
  auto host = start("host", from_);
  publish(*host, "soon", 50, soon);
  publish(*host, "later", 50, milliseconds(4000));
  const auto due = Clock::now() + soon;
  host->tell("pause 1 move: claimed");
  host->switch_to(to_, "transfer");
  ASSERT_TRUE(await([&] { return host->tell("paused") == "yes"; }));
  EXPECT_TRUE(await([&] { return Clock::now() >= due; }));
  other->tell("consume tasks ack 16 2"); // where they are claimed, and were due
  host->tell("consume tasks ack 16 2");
  host->tell("resume");
  EXPECT_TRUE(await([this] { return books().missing().empty(); })) << books().summary();
  expect_all_settled();
  EXPECT_THAT(books().twice(), testing::IsEmpty()) << "nothing went wrong that would explain it";
  EXPECT_THAT(books().ids("early"), testing::IsEmpty());
  EXPECT_GT(books().count("moved"), 0U);
}

} // namespace
} // namespace switch_test
