// SPDX-License-Identifier: MIT
//
// Scenarios of several hosts on the same backends, which do not talk to each other: each is
// switched at another time, in another direction, or never, and some die.
#include "scenario.hpp"

namespace switch_test {
namespace {

class Hosts : public Scenario, public testing::WithParamInterface<Move> {
 protected:
  const std::string from_ = GetParam().from, to_ = GetParam().to;

  std::unique_ptr<Host> start_consumer(const std::string& name, const std::string& type) const {
    auto host = start(name, type);
    host->tell("consume tasks ack 16 2");
    return host;
  }
  /// Both on the old backend, then the consumer on the new one, which takes the old one for empty.
  void leave_the_producer_behind() {
    producer_ = start("producer", from_);
    consumer_ = start_consumer("consumer", from_);
    publish(*producer_, "early", 30);
    await_count("ack", 30);
    consumer_->switch_to(to_);
    expect_retired(*consumer_);
  }
  void expect_retired(Host& host) const {
    EXPECT_TRUE(await([&] { return host.has_retired(from_); })) << host.state().phase;
  }

  std::unique_ptr<Host> producer_, consumer_;
};

INSTANTIATE_TEST_SUITE_P(, Hosts,
                         testing::Values(Move{"redis_stream", "rabbitmq"},
                                         Move{"rabbitmq", "redis_stream"},
                                         Move{"sqlite", "redis_stream"}),
                         move_name);

TEST_P(Hosts, AnotherHostHoldsUnackedWhenWeRetireAndIsKilled) {
  auto other = start("other", from_);
  other->tell("consume tasks hold 10 1");
  auto ours = start("ours", from_);
  publish(*ours, "held", 10);
  await_count("held", 10);
  ours->tell("consume tasks ack 16 2");
  publish(*ours, "early", 10);
  await_count("ack", 10);
  ours->switch_to(to_);
  if (from_ != "rabbitmq") { // which does not say how much is unacked
    EXPECT_TRUE(lasts(until_believed_empty(from_), [&] { return ours->role(from_) == "owed"; }));
    EXPECT_EQ(ours->state().backends[from_].unacked, 10U);
  } else {
    expect_retired(*ours);
  }
  other->kill();
  await_count("ack", 20);
  expect_retired(*ours);
  expect_all_settled();
}

TEST_P(Hosts, ConsumerOnlyHostFirstProducerOnlyLater) {
  leave_the_producer_behind();
  publish(*producer_, "between", 30);
  await_count("ack", 60);
  producer_->tell("publish tasks flow 0 0");
  let_flow(*producer_, 50);
  producer_->switch_to(to_);
  let_flow(*producer_, 50);
  producer_->tell("halt");
  expect_retired(*producer_);
  expect_all_settled();
}

TEST_P(Hosts, ProducerNeverReloads) {
  leave_the_producer_behind();
  publish(*producer_, "late", 30);
  await_count("ack", 60);
  expect_all_settled();
  EXPECT_TRUE(producer_->publishes_to(from_));
}

TEST_P(Hosts, ProducerKilledForGood) {
  leave_the_producer_behind();
  producer_->tell("publish tasks flow 0 0");
  let_flow(*producer_, 50);
  producer_->kill();
  expect_all_settled();
}

TEST_P(Hosts, WatcherRestartedAfterRetireThenALatePublishToTheOldSide) {
  leave_the_producer_behind();
  consumer_->end();
  publish(*producer_, "meanwhile", 30);
  consumer_ = start_consumer("consumer", to_);
  await_count("ack", 60);
  consumer_->kill();
  consumer_ = start_consumer("consumer", to_);
  publish(*producer_, "late", 30);
  await_count("ack", 90);
  expect_all_settled();
}

// ---- in opposite directions ---------------------------------------------------------------------

struct Crossing {
  std::string name;
  bool first_publishes = true, first_consumes = true, second_publishes = true,
       second_consumes = true, second_dies = false;
};

void PrintTo(const Crossing& crossing, std::ostream* out) { *out << crossing.name; }

class OppositeDirections : public Scenario, public testing::WithParamInterface<Crossing> {};

INSTANTIATE_TEST_SUITE_P(, OppositeDirections,
                         testing::Values(Crossing{"ProducerAndConsumer", true, false, false, true},
                                         Crossing{"ConsumerAndProducer", false, true, true, false},
                                         Crossing{"BothAndBoth"},
                                         Crossing{"OneKilled", true, true, true, true, true}),
                         [](const auto& one) { return one.param.name; });

TEST_P(OppositeDirections, LoseNothing) {
  const Crossing& crossing = GetParam();
  auto first = start("first", "redis_stream");
  auto second = start("second", "rabbitmq");
  if (crossing.first_consumes) first->tell("consume tasks ack 16 2");
  if (crossing.second_consumes) second->tell("consume tasks ack 16 2");
  std::vector<Host*> publishing;
  if (crossing.first_publishes) publishing.push_back(first.get());
  if (crossing.second_publishes) publishing.push_back(second.get());
  const auto flow = [&] {
    for (Host* host : publishing) let_flow(*host, 60);
  };
  for (Host* host : publishing) {
    host->tell(std::string("publish tasks ") + (host == first.get() ? "first" : "second") + " 0 0");
  }
  flow();
  first->tell("switch rabbitmq");
  second->tell("switch redis_stream");
  EXPECT_TRUE(await([&] { return first->publishes_to("rabbitmq"); }));
  EXPECT_TRUE(await([&] { return second->publishes_to("redis_stream"); }));
  flow();
  // A host sees that where others publish to what it has left.
  for (Host* host : publishing) {
    Host& other = host == first.get() ? *second : *first;
    EXPECT_TRUE(await([&] { return other.state().crossed; })) << other.state().phase;
  }
  if (crossing.second_dies) {
    publishing.pop_back();
    second->kill();
    flow();
  }
  for (Host* host : publishing) host->tell("halt");
  expect_all_settled();
}

} // namespace
} // namespace switch_test
