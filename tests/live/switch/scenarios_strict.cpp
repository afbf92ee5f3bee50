// SPDX-License-Identifier: MIT
//
// Scenarios of strict order: what was published to the new backend is delivered after all of the
// old one, whatever is in the way.
#include <algorithm>

#include "scenario.hpp"

namespace switch_test {
namespace {

class Strict : public Scenario {
 protected:
  Strict() { set_switch_options(R"(,"order":"strict")"); }

  /// First deliveries of what that publisher published came in this order: 0, 1, 2, ...
  void expect_in_order(const std::string& prefix, int count,
                       const std::string& word = "got") const {
    std::vector<std::string> expected;
    for (int n = 0; n < count; ++n) expected.push_back(prefix + "-" + std::to_string(n));
    std::vector<std::string> came = books().in_order(word);
    std::erase_if(came, [&](const std::string& id) { return id.rfind(prefix + "-", 0) != 0; });
    EXPECT_EQ(came.size(), expected.size());
    const auto [ours, theirs] =
        std::mismatch(came.begin(), came.end(), expected.begin(), expected.end());
    if (ours == came.end()) return;
    // What came around there.
    const auto behind = std::min<std::ptrdiff_t>(came.end() - ours, 40);
    ADD_FAILURE() << "in place of " << *theirs << " came "
                  << testing::PrintToString(std::vector<std::string>(ours, ours + behind));
  }
};

class StrictBetween : public Strict, public testing::WithParamInterface<Move> {
 protected:
  const std::string from_ = GetParam().from, to_ = GetParam().to;
};

INSTANTIATE_TEST_SUITE_P(, StrictBetween,
                         testing::Values(Move{"redis_stream", "rabbitmq"},
                                         Move{"rabbitmq", "sqlite"},
                                         Move{"sqlite", "redis_stream"}),
                         move_name);

TEST_P(StrictBetween, ThereAndBackWithABacklog) {
  auto host = start("host", from_);
  host->tell("publish tasks flow 0 0");
  let_flow(*host, 50);
  host->switch_to(to_, "drain strict");
  let_flow(*host, 50);
  host->tell("switch " + from_ + " drain strict");
  EXPECT_TRUE(lasts(milliseconds(500), [&] { return host->publishes_to(to_); }))
      << "messages lie where it is to go back to";
  host->tell("consume tasks ack 16 1");
  EXPECT_TRUE(await([&] { return host->publishes_to(from_); }));
  let_flow(*host, 50);
  const int published = std::stoi(host->tell("halt"));
  expect_all_settled();
  expect_in_order("flow", published);
}

TEST_F(Strict, RollbackWithTheNewSideDead) {
  swapmq::live::RedisServer mortal(*swapmq::live::redis_setup("aof_always"));
  set_section("redis_stream", mortal.options().json());
  auto host = start("host", "rabbitmq");
  host->tell("publish tasks flow 0 0");
  let_flow(*host, 30);
  host->switch_to("redis_stream", "drain strict");
  let_flow(*host, 30);
  host->tell("pause 1 publish: the route was read"); // nothing is under way when it dies
  EXPECT_TRUE(await([&] { return host->tell("paused") == "yes"; }));
  mortal.kill();
  host->tell("roll_back");
  // The one that is rolled back to was not empty: it has to be, before it gets what is new.
  host->tell("consume tasks ack 16 1");
  EXPECT_TRUE(await([&] { return host->publishes_to("rabbitmq"); }));
  host->tell("resume");
  let_flow(*host, 30);
  const std::size_t before = books().count("got");
  EXPECT_TRUE(lasts(milliseconds(1000), [&] { return books().count("got") == before; }))
      << "what is new overtakes what lies on the dead side";
  mortal.restart();
  const int published = std::stoi(host->tell("halt"));
  expect_all_settled();
  expect_in_order("flow", published);
}

class StrictByProxy : public StrictBetween {};

INSTANTIATE_TEST_SUITE_P(, StrictByProxy,
                         testing::Values(Move{"redis_stream", "rabbitmq"},
                                         Move{"rabbitmq", "sqlite"}),
                         move_name);

TEST_P(StrictByProxy, ConnectionCutAtTheCutOverWithAWindowOf16) {
  Proxy proxy(port_of(from_));
  auto host = start("host", from_, through(proxy, from_));
  host->tell("window tasks work 1000");
  await_count("ok", 200);
  proxy.hold_open(Way::replies); // the broker has what is on its way, and cannot say so
  ASSERT_TRUE(proxy.await_that([](const Proxy& p) { return p.held(Way::replies) > 0; }));
  host->switch_to(to_, "drain strict");
  EXPECT_LT(books().count("ok"), 1000U);
  proxy.drop_all();
  host->tell("halt");
  EXPECT_EQ(books().count("ok"), 1000U);
  const std::uint64_t may_be_twice = std::stoull(host->tell("may_be_twice"));
  EXPECT_GT(may_be_twice, 0U) << "nothing was in doubt";
  host->tell("consume tasks ack 64 1");
  EXPECT_TRUE(await([this] { return books().missing().empty(); }));
  EXPECT_LE(books().twice().size(), may_be_twice);
  expect_all_settled(books().twice());
  expect_in_order("work", 1000);
}

TEST_P(StrictBetween, SlowHandlerWithAPrefetchOf2) {
  auto host = start("host", from_);
  publish(*host, "work", 6);
  host->tell("consume tasks hold 2 1");
  await_count("held", 2);
  host->switch_to(to_, "drain strict");
  // Continues the numbers.
  host->tell("publish tasks new 4 0");
  host->tell("halt");
  EXPECT_TRUE(lasts(until_believed_empty(from_), [&] { return books().count("held") == 2; }));
  for (std::size_t held = 4; held <= 6; held += 2) {
    host->tell("settle tasks ack");
    await_count("held", held);
  }
  // The last one of the old side is with the handler: nothing is ready there, and there is room.
  host->tell("settle tasks ack 1");
  EXPECT_TRUE(lasts(until_believed_empty(from_), [&] {
    return host->role(from_) == "owed" && books().count("held") == 6;
  })) << "the new side is open though the old one is not settled";
  for (std::size_t held = 8; held <= 10; held += 2) {
    host->tell("settle tasks ack");
    await_count("held", held);
  }
  host->tell("settle tasks ack");
  expect_all_settled();
  EXPECT_THAT(books().in_order("held"),
              testing::ElementsAre("work-0", "work-1", "work-2", "work-3", "work-4", "work-5",
                                   "new-0", "new-1", "new-2", "new-3"));
}

TEST_P(StrictBetween, ProducerHostAndConsumerHostWithHoldOrderPerPublisher) {
  auto producer = start("producer", from_);
  auto consumer = start("consumer", from_);
  consumer->tell("consume tasks ack 16 1");
  producer->tell("publish tasks one 0 0");
  producer->tell("publish tasks other 0 0");
  let_flow(*producer, 50);
  consumer->switch_to(to_, "drain strict");
  let_flow(*producer, 50);
  // So that something lies there when the producer leaves. Nothing is on its way to the consumer
  // then: what a broker sent early comes back in an order of its own.
  producer->tell("halt");
  expect_all_settled();
  consumer->tell("leave tasks");
  producer->tell("publish tasks third 0 0");
  producer->tell("publish tasks fourth 0 0");
  let_flow(*producer, 50);
  producer->tell("switch " + to_ + " drain strict hold");
  EXPECT_TRUE(await([&] { return producer->publishes_to(to_); }));
  const std::uint64_t before = producer->published();
  EXPECT_TRUE(lasts(milliseconds(500), [&] { return producer->published() <= before + 2; }))
      << "they do not wait for the other host, which is not done with what came before";
  consumer->tell("consume tasks ack 16 1");
  let_flow(*producer, 50);
  producer->tell("halt");
  expect_all_settled();
  const Books books = this->books();
  for (const char* prefix : {"one", "other", "third", "fourth"}) {
    const auto all = books.ids("ok");
    const auto count = std::count_if(all.begin(), all.end(), [&](const std::string& id) {
      return id.rfind(std::string(prefix) + "-", 0) == 0;
    });
    expect_in_order(prefix, static_cast<int>(count));
  }
}

TEST_F(Strict, WithTransferIsRefused) {
  auto host = start("host", "redis_stream");
  publish(*host, "work", 10);
  EXPECT_THROW(host->tell("switch sqlite transfer strict"), std::runtime_error);
  set_switch_options(R"(,"order":"strict","policy":"transfer")");
  try {
    host->tell("reload " + write_config("host", "sqlite", sections()));
    ADD_FAILURE() << "such a config is taken";
  } catch (const std::runtime_error& refused) {
    EXPECT_THAT(refused.what(), testing::HasSubstr("/switch/policy"));
  }
  EXPECT_TRUE(host->publishes_to("redis_stream"));
  EXPECT_EQ(host->state().number, 0U);
  host->tell("consume tasks ack 16 1");
  expect_all_settled();
  expect_in_order("work", 10);
}

} // namespace
} // namespace switch_test
