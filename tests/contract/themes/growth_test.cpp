// SPDX-License-Identifier: MIT
//
// Structs and elements that are larger than the plugin knows, as a newer host has them, and
// smaller, as an older one.
#include <algorithm>
#include <cstddef>
#include <cstring>

#include "fixture.h"

namespace swapmq::contract {
namespace {

/// A struct of a host yet to come.
template <class T>
struct Grown {
  T known;
  unsigned char tail[72];

  Grown() {
    std::memset(this, 0xA5, sizeof *this);
    known = T{};
    known.struct_size = sizeof *this;
  }
  [[nodiscard]] bool tail_untouched() const {
    for (const unsigned char byte : tail) {
      if (byte != 0xA5) return false;
    }
    return true;
  }
};

class Growth : public Contract {};

CONTRACT_TEST(Growth, LargerArgumentsOfOpen, "open(); Rules for every function: Growth",
              "structs that are larger than the plugin knows are taken") {
  Grown<swapmq_host> host;
  host.known = silent_host();
  host.known.struct_size = sizeof host;
  Grown<swapmq_open_args> args;
  args.known = open_args(host.known);
  args.known.struct_size = sizeof args;
  swapmq_backend* backend = nullptr;
  ErrorProbe probe;
  require_ok(
      "open",
      call("open", soon(), probe, [&](auto* e) { return vt().open(&args.known, &backend, e); }),
      probe);
  Session(backend, SWAPMQ_ROLE_ADMIN).ping();
  call("close", [&] { vt().close(backend); });
}

CONTRACT_TEST(Growth, LargerSpecAndStats, "queue_stats(); Rules for every function: Growth",
              "a larger spec is taken; of larger stats the plugin fills in what it knows and "
              "leaves the rest and struct_size") {
  const std::string name = fresh_queue("grown");
  fill(name, messages("counted", 3));
  Session session = admin();
  const Grown<swapmq_queue_spec> spec;
  swapmq_queue* queue = nullptr;
  ErrorProbe probe;
  require_ok("queue_open",
             call("queue_open", soon(), probe,
                  [&](auto* e) {
                    return vt().queue_open(session.raw(), bytes(name), &spec.known, &queue, e);
                  }),
             probe);
  Grown<swapmq_queue_stats> stats;
  require_ok("queue_stats",
             call("queue_stats", soon(), probe,
                  [&](auto* e) {
                    return vt().queue_stats(session.raw(), queue, &stats.known, soon(), e);
                  }),
             probe);
  EXPECT_EQ(stats.known.struct_size, sizeof stats) << "the caller's own field";
  EXPECT_TRUE(stats.tail_untouched()) << "wrote what it does not know";
  EXPECT_EQ(stats.known.exists, 1);
}

CONTRACT_TEST(Growth, StatsOfAnOlderHost, "queue_stats(); Rules for every function: Growth",
              "nothing is written beyond the struct_size that an older host has set") {
  const std::string name = fresh_queue("older");
  fill(name, messages("counted", 3));
  Session session = admin();
  swapmq_queue_stats stats;
  std::memset(&stats, 0xA5, sizeof stats);
  stats.struct_size = offsetof(swapmq_queue_stats, atomic);
  ErrorProbe probe;
  require_ok("queue_stats",
             call("queue_stats", soon(), probe,
                  [&](auto* e) {
                    return vt().queue_stats(session.raw(), session.queue(name), &stats, soon(), e);
                  }),
             probe);
  std::int32_t guard = 0;
  std::memset(&guard, 0xA5, sizeof guard);
  EXPECT_EQ(stats.atomic, guard) << "wrote beyond the caller's struct_size";
  EXPECT_EQ(stats.exists, guard) << "wrote beyond the caller's struct_size";
  if (stats.ready_precision == SWAPMQ_STAT_EXACT) {
    EXPECT_EQ(stats.ready, 3u);
  }
}

CONTRACT_TEST(Growth, LargerDescriptions, "describe(); Rules for every function: Growth",
              "of larger structs describe fills in what it knows, says the same each time, and "
              "leaves the rest and struct_size") {
  Grown<swapmq_capabilities> capabilities;
  Grown<swapmq_limits> limits;
  capabilities.known = can();
  limits.known = contract::limits();
  capabilities.known.struct_size = sizeof capabilities;
  limits.known.struct_size = sizeof limits;
  call("describe", [&] { vt().describe(backend().raw(), &capabilities.known, &limits.known); });
  EXPECT_TRUE(capabilities.tail_untouched() && limits.tail_untouched());
  EXPECT_EQ(capabilities.known.struct_size, sizeof capabilities);
  EXPECT_EQ(limits.known.struct_size, sizeof limits);
  EXPECT_EQ(capabilities.known.durability, can().durability) << "says something else each time";
}

CONTRACT_TEST(
    Growth, ALargerError, "swapmq_error; Rules for every function: Growth",
    "of a larger error the plugin fills in what it knows and leaves the rest and struct_size") {
  Session session = admin();
  Grown<swapmq_error> error;
  char text[64];
  error.known.message = text;
  error.known.message_capacity = sizeof text;
  const swapmq_queue_spec spec{sizeof spec, 0, 0};
  swapmq_queue* queue = nullptr;
  const swapmq_status status = call("queue_open", [&] {
    return vt().queue_open(session.raw(), {nullptr, 0}, &spec, &queue, &error.known);
  });
  EXPECT_EQ(status, SWAPMQ_INVALID_ARGUMENT);
  EXPECT_EQ(error.known.status, SWAPMQ_INVALID_ARGUMENT);
  EXPECT_EQ(error.known.struct_size, sizeof error);
  EXPECT_TRUE(error.tail_untouched());
}

CONTRACT_TEST(Growth, WiderMessagesHeadersAndResults, "publish(); Rules for every function: Growth",
              "messages, headers and results are stepped through by message_size, header_size and "
              "result_size") {
  const std::string name = fresh_queue("wide");
  auto sent = messages("wide", 20);
  for (Message& message : sent) message.headers = {{"a", message.body}, {"b", "2"}, {"c", "3"}};
  Wire wire(sent, 40);
  Row<swapmq_publish_result> results(sent.size(), sizeof(swapmq_publish_result) + 24);
  for (std::size_t i = 0; i < sent.size(); ++i) results[i] = {};
  Grown<swapmq_publish_args> args;
  args.known.message_size = wire.stride();
  args.known.result_size = results.stride();
  args.known.messages = wire.data();
  args.known.count = sent.size();
  args.known.results = results.data();
  args.known.deadline_ns = soon();
  Session session = publisher();
  ErrorProbe probe;
  require_ok("publish",
             call("publish", soon(), probe,
                  [&](auto* e) {
                    return vt().publish(session.raw(), session.queue(name), &args.known, e);
                  }),
             probe);
  for (std::size_t i = 0; i < sent.size(); ++i) {
    ASSERT_EQ(results[i].outcome, SWAPMQ_PUBLISH_CONFIRMED) << "result " << i;
    const auto* tail = reinterpret_cast<const unsigned char*>(&results[i]) + sizeof results[i];
    ASSERT_EQ(static_cast<int>(*tail), 0xA5) << "wrote behind result " << i;
  }
  Session other = consumer();
  Subscription subscription = other.subscribe(other.queue(name), 20);
  const Deliveries got = subscription.receive(sent.size());
  for (const swapmq_delivery* delivery : got) {
    const Message back = copy(*delivery->message);
    const auto of = std::find_if(sent.begin(), sent.end(),
                                 [&](const Message& message) { return message.id == back.id; });
    ASSERT_NE(of, sent.end()) << "an id that was not published";
    EXPECT_EQ(difference(*of, back), "");
  }
  subscription.ack_all(got);
}

CONTRACT_TEST(
    Growth, WiderSettlementsAndLargerArguments, "exchange(); Rules for every function: Growth",
    "settlements are stepped through by settlement_size, and larger arguments are taken") {
  const std::string name = fresh_queue("wide");
  fill(name, messages("settled", 6));
  Session session = consumer();
  Grown<swapmq_subscribe_args> subscribe;
  subscribe.known.prefetch = 6;
  subscribe.known.deadline_ns = soon();
  swapmq_subscription* raw = nullptr;
  ErrorProbe probe;
  require_ok("subscribe",
             call("subscribe", soon(), probe,
                  [&](auto* e) {
                    return vt().subscribe(session.raw(), session.queue(name), &subscribe.known,
                                          &raw, e);
                  }),
             probe);
  Deliveries held;
  const auto exchange = [&](swapmq_exchange_args& args) {
    swapmq_batch* batch = nullptr;
    require_ok("exchange",
               call("exchange", args.deadline_ns, probe,
                    [&](auto* e) { return vt().exchange(session.raw(), raw, &args, &batch, e); }),
               probe);
    if (batch != nullptr) held.add(Batch(batch));
  };
  Grown<swapmq_exchange_args> receive;
  EXPECT_TRUE(eventually([&] {
    receive.known.max_messages = 6 - held.size();
    receive.known.deadline_ns = in(milliseconds(200));
    exchange(receive.known);
    return held.size() == 6;
  }));
  ASSERT_EQ(held.size(), 6u);
  Row<swapmq_settlement> settlements(6, sizeof(swapmq_settlement) + 32);
  for (std::size_t i = 0; i < 6; ++i) settlements[i] = i < 4 ? ack(held[i]) : nack(held[i]);
  std::vector<swapmq_status> results(6, SWAPMQ_STATUS_UNTOUCHED);
  Grown<swapmq_exchange_args> settle;
  settle.known.settlement_size = settlements.stride();
  settle.known.settlements = settlements.data();
  settle.known.settlement_count = 6;
  settle.known.settlement_results = results.data();
  settle.known.deadline_ns = soon();
  exchange(settle.known);
  EXPECT_EQ(results, std::vector<swapmq_status>(6, SWAPMQ_OK));
  call("unsubscribe", [&] { vt().unsubscribe(session.raw(), raw); });
  EXPECT_EQ(drain(name, 2).size(), 2);
}

CONTRACT_TEST(Growth, WiderHeadersOfADeadLetter,
              "swapmq_settlement.header_size; Rules for every function: Growth",
              "the headers of a dead-letter are stepped through by header_size") {
  NEEDS(dead_letter);
  const std::string name = fresh_queue("wide");
  const std::string dead = fresh_queue("dead");
  fill(name, message("buried"));
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name), 1);
  const Deliveries got = subscription.receive(1);
  Row<swapmq_header> headers(2, sizeof(swapmq_header) + 16);
  headers[0] = {bytes("first"), bytes("1")};
  headers[1] = {bytes("second"), bytes("2")};
  swapmq_settlement settlement = dead_letter(got[0], session.queue(dead));
  settlement.headers = headers.data();
  settlement.header_count = 2;
  settlement.header_size = headers.stride();
  ASSERT_EQ(subscription.settle(settlement), SWAPMQ_OK);
  Subscription of_dead = session.subscribe(session.queue(dead), 1);
  const Deliveries buried = of_dead.receive(1);
  EXPECT_EQ(copy(*buried[0].message).headers, (Headers{{"first", "1"}, {"second", "2"}}));
  of_dead.ack_all(buried);
}

} // namespace
} // namespace swapmq::contract
