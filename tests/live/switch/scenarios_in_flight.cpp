// SPDX-License-Identifier: MIT
//
// Scenarios of what is under way when a backend is left: publishes that wait, deliveries that were
// put off, messages that move while sizes are read.
#include <algorithm>
#include <regex>

#include "scenario.hpp"

namespace switch_test {
namespace {

class InFlight : public Scenario, public testing::WithParamInterface<Move> {
 protected:
  const std::string from_ = GetParam().from, to_ = GetParam().to;

  /// Those options of the backend that is left, and what else stands in the config.
  void set_timeout(const std::string& seconds) {
    std::string options = sections().at(from_);
    options.insert(options.rfind('}'), ",\"connection_timeout_seconds\":" + seconds);
    set_section(from_, options);
  }
  /// One publish is under way on the backend that was left: it is owed that.
  void expect_owed_meanwhile(const std::vector<Host*>& hosts) const {
    EXPECT_TRUE(lasts(until_believed_empty(from_), [&] {
      return std::all_of(hosts.begin(), hosts.end(), [&](Host* host) {
        const BackendState left = host->state().backends[from_];
        return left.role == "owed" && left.in_flight == 1;
      });
    }));
  }
  void expect_retired(Host& host) const {
    EXPECT_TRUE(await([&] { return host.has_retired(from_); })) << host.state().phase;
  }
};

class InFlightByProxy : public InFlight {};

INSTANTIATE_TEST_SUITE_P(, InFlightByProxy,
                         testing::Values(Move{"redis_stream", "rabbitmq"},
                                         Move{"rabbitmq", "redis_stream"}),
                         move_name);

/// A publisher whose connections to the backend that is left go by a proxy.
struct Delayed {
  Delayed(Way which, int port) : way(which), proxy(port) {}

  const Way way;
  const std::string name = way == Way::requests ? "requests" : "answers";
  Proxy proxy;
  std::unique_ptr<Host> publisher{};
};

TEST_P(InFlightByProxy, BrokersAnswerDelayedPastTheEmptyCheck) {
  set_timeout("20");
  auto consumer = start("consumer", from_);
  consumer->tell("consume tasks ack 16 2");
  Delayed one(Way::requests, port_of(from_)); // it also comes to the broker after the check
  Delayed other(Way::replies, port_of(from_));
  for (Delayed* delayed : {&one, &other}) {
    delayed->publisher = start(delayed->name, from_, through(delayed->proxy, from_));
    publish(*delayed->publisher, delayed->name + "-before", 20);
  }
  await_count("ack", 40);
  for (Delayed* delayed : {&one, &other}) {
    const Way way = delayed->way;
    delayed->proxy.hold_open(way);
    delayed->publisher->tell("publish tasks " + delayed->name + "-late 1 0");
    ASSERT_TRUE(delayed->proxy.await_that([&](const Proxy& p) { return p.held(way) > 0; }));
    delayed->publisher->switch_to(to_);
  }
  expect_owed_meanwhile({one.publisher.get(), other.publisher.get()});
  for (Delayed* delayed : {&one, &other}) {
    delayed->proxy.release(delayed->way);
    delayed->publisher->tell("halt");
    EXPECT_EQ(books().times("ok", delayed->name + "-late-0"), 1);
  }
  expect_retired(*one.publisher);
  expect_retired(*other.publisher);
  expect_all_settled();
}

TEST_P(InFlightByProxy, RetriedPublishAnsweredPastTheEmptyCheck) {
  Proxy proxy(port_of(from_));
  auto consumer = start("consumer", from_);
  auto publisher = start("publisher", from_, through(proxy, from_));
  consumer->tell("consume tasks ack 16 2");
  publish(*publisher, "before", 20);
  await_count("ack", 20);

  // The first attempt is in doubt, since its answer is cut off; the second one has read the route.
  proxy.cut_after(Way::replies, 0);
  publisher->tell("pause 2 publish: the route was read");
  publisher->tell("publish tasks late 1 0");
  ASSERT_TRUE(await([&] { return publisher->tell("paused") == "yes"; }));
  publisher->switch_to(to_);
  expect_owed_meanwhile({publisher.get()});
  publisher->tell("resume");
  publisher->tell("halt");
  EXPECT_EQ(books().times("ok", "late-0"), 1);
  expect_retired(*publisher);
  expect_all_settled({"late-0"});
}

TEST_P(InFlightByProxy, AProxyHoldsAnInDoubtRequestAndDeliversItAfterRetire) {
  set_timeout("1.5");
  Proxy proxy(port_of(from_));
  auto consumer = start("consumer", from_);
  auto publisher = start("publisher", from_, through(proxy, from_));
  consumer->tell("consume tasks ack 16 2");
  publish(*publisher, "before", 20);
  await_count("ack", 20);

  proxy.hold_open(Way::requests);
  publisher->tell("publish tasks late 1 0");
  ASSERT_TRUE(proxy.await_that([](const Proxy& p) { return p.held(Way::requests) > 0; }));
  publisher->switch_to(to_);
  consumer->switch_to(to_);
  await_count("ack", 21); // by way of the backend that it was tried again on
  publisher->tell("halt");
  EXPECT_EQ(books().times("ok", "late-0"), 1);
  expect_retired(*publisher);
  expect_retired(*consumer);
  EXPECT_EQ(books().times("got", "late-0"), 1);

  proxy.release(Way::requests);
  EXPECT_TRUE(await([&] { return books().times("got", "late-0") == 2; }))
      << "it lies where nobody looks any more";
  expect_all_settled({"late-0"});
}

class RefusedQueue : public InFlight {
 protected:
  /// Something of the queue's name is in its way there.
  void occupy_the_name() {
    if (to_ == "redis_stream") {
      redis().ask({"SET", prefix() + "tasks", "a string"});
      return;
    }
    const std::string before = sections().at(to_);
    const bool classic = before.find("classic") != std::string::npos;
    set_section(to_, std::regex_replace(before, std::regex("quorum|classic"),
                                        classic ? "quorum" : "classic"));
    ASSERT_NE(sections().at(to_), before);
    ASSERT_FALSE(look(to_).create_queue("tasks"));
    set_section(to_, before);
  }
};

INSTANTIATE_TEST_SUITE_P(, RefusedQueue,
                         testing::Values(Move{"redis_stream", "rabbitmq"},
                                         Move{"rabbitmq", "redis_stream"}),
                         move_name);

/// The queues are there before the cut-over, or there is none.
TEST_P(RefusedQueue, ByTheNewSideLeavesTheOldOneActive) {
  occupy_the_name();
  auto host = start("host", from_);
  host->tell("consume tasks ack 16 2");
  host->tell("publish tasks flow 0 0");
  let_flow(*host, 20);
  host->tell("switch " + to_);
  EXPECT_TRUE(await([&] { return host->state().phase == "failed"; })) << host->state().phase;
  EXPECT_TRUE(await_log("host", "queue \"tasks\" on " + to_)) << log_of("host");
  let_flow(*host, 20);
  host->tell("halt");
  EXPECT_TRUE(host->publishes_to(from_));
  EXPECT_TRUE(await([this] { return books().missing().empty(); })) << books().summary();
  EXPECT_EQ(books().count("fail") + books().count("doubt"), 0U);
}

INSTANTIATE_TEST_SUITE_P(, InFlight,
                         testing::Values(Move{"redis_stream", "rabbitmq"},
                                         Move{"rabbitmq", "sqlite"},
                                         Move{"sqlite", "redis_stream"}),
                         move_name);

TEST_P(InFlight, APublisherPausedBetweenReadingTheRouteAndSending) {
  auto host = start("host", from_);
  host->tell("consume tasks ack 16 2");
  publish(*host, "before", 20);
  await_count("ack", 20);
  host->tell("pause 1 publish: the route was read");
  host->tell("publish tasks late 1 0");
  ASSERT_TRUE(await([&] { return host->tell("paused") == "yes"; }));
  host->switch_to(to_);
  expect_owed_meanwhile({host.get()});
  host->tell("resume");
  host->tell("halt");
  EXPECT_EQ(books().times("ok", "late-0"), 1);
  expect_retired(*host);
  expect_all_settled();
}

TEST_P(InFlight, NackWithSixtySecondsDelayThenSwitch) {
  const bool exact = from_ != "rabbitmq"; // which does not say how much is delayed
  auto host = start("host", from_);
  for (const auto& [prefix, delay] : {std::pair{"minute", "60000"}, std::pair{"soon", "2500"}}) {
    host->tell(std::string("consume tasks nack 16 1 ") + delay);
    const std::size_t before = books().count("nacked");
    publish(*host, prefix, 5);
    await_count("nacked", before + 5);
    host->tell("leave tasks");
  }
  host->tell("consume tasks ack 16 1");
  host->switch_to(to_);
  await_count("ack", 5); // those that were due soon, from where they were
  if (exact) {
    EXPECT_TRUE(lasts(until_believed_empty(from_), [&] { return host->role(from_) == "owed"; }));
  }
  host->kill();

  host = start("host", to_);
  if (exact) {
    EXPECT_TRUE(await([&] { return host->state().backends[from_].delayed == 5; }));
    EXPECT_EQ(host->role(from_), "owed") << "after a restart too";
    EXPECT_THROW(host->tell("forget " + from_), std::runtime_error);
  }
  host->tell("forget " + from_ + " give_up");
  EXPECT_TRUE(await([&] { return host->role(from_).empty(); }));
  const Books books = this->books();
  EXPECT_EQ(books.missing().size(), 5U);
  for (const std::string& id : books.missing()) EXPECT_EQ(id.rfind("minute", 0), 0U) << id;
  EXPECT_EQ(look(from_).purge("tasks").value(), 5U) << "they are still where they were put off";
}

// ---- while sizes are read -----------------------------------------------------------------------

class WhileSizesAreRead : public InFlight {
 protected:
  const std::string place_ = "discharge: a queue was read";

  void await_dead_letters(std::uint64_t count) const {
    EXPECT_TRUE(await([&] { return sizes(from_, "tasks.dead").ready == count; }));
  }
};

INSTANTIATE_TEST_SUITE_P(, WhileSizesAreRead,
                         testing::Values(Move{"redis_stream", "rabbitmq"},
                                         Move{"sqlite", "redis_stream"}),
                         move_name);

TEST_P(WhileSizesAreRead, RedriveDuringTheEmptinessReading) {
  auto host = start("host", from_);
  auto other = start("other", from_);
  other->tell("consume tasks reject 1 1");
  publish(*host, "poison", 1);
  await_dead_letters(1);
  other->tell("leave tasks");

  // The queue was read and is empty, its dead letters were not read yet: now they come back.
  host->tell("pause 1 " + place_);
  host->switch_to(to_);
  ASSERT_TRUE(await([&] { return host->tell("paused") == "yes"; }));
  other->tell("consume tasks.dead redrive 1 1 tasks");
  await_count("redriven", 1);
  await_dead_letters(0);
  host->tell("resume");
  EXPECT_TRUE(lasts(until_believed_empty(from_), [&] { return host->role(from_) == "owed"; }))
      << "a message lies there";
  EXPECT_EQ(host->state().backends[from_].ready, 1U);
  host->tell("consume tasks ack 16 1");
  await_count("ack", 1);
  expect_retired(*host);
  EXPECT_EQ(host->state().backends[from_].left, 0U);
  expect_all_settled();
}

TEST_P(WhileSizesAreRead, DeadLetteringDuringTheEmptinessReading) {
  auto host = start("host", from_);
  auto other = start("other", from_);
  other->tell("consume tasks hold 1 1");
  publish(*host, "poison", 1);
  await_count("held", 1);

  host->tell("pause 1 " + place_);
  host->switch_to(to_);
  ASSERT_TRUE(await([&] { return host->tell("paused") == "yes"; }));
  other->tell("settle tasks reject");
  await_dead_letters(1);
  host->tell("resume");
  expect_retired(*host);
  EXPECT_EQ(host->state().backends[from_].left, 1U) << "the dead letter is named";
  EXPECT_EQ(sizes(from_, "tasks.dead").ready, 1U);
  EXPECT_TRUE(await_log("host", "dead letters stay: 1 in \"tasks.dead\""));
}

} // namespace
} // namespace switch_test
