// SPDX-License-Identifier: MIT
//
// How much a consumer gets at a time.
#include "fixture.h"

namespace swapmq::contract {
namespace {

class Flow : public Contract {};

CONTRACT_TEST(
    Flow, NothingNewPastPrefetch, "swapmq_subscribe_args.prefetch",
    "a subscription never holds more than prefetch unsettled, whatever max_messages says") {
  const std::string name = fresh_queue("flow");
  fill(name, messages("flow", 40));
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name), 10);
  // Asks for more than there is room for, all the time.
  Deliveries held;
  for (int i = 0; i < 5; ++i) {
    Exchanged more = subscription.exchange({}, 1000, in(milliseconds(60)));
    ASSERT_TRUE(more.status == SWAPMQ_OK || more.status == SWAPMQ_INVALID_ARGUMENT) << more.error;
    held.add(std::move(more.batch));
    ASSERT_LE(held.size(), 10u) << "more than prefetch unsettled";
  }
  if (held.size() < 10) subscription.receive(10 - held.size(), held); // a refusal is fine, too
  expect_stats(name, 30, 10, 0);

  const std::vector three{ack(held[0]), ack(held[4]), ack(held[9])};
  subscription.settle(three);
  const Deliveries next = subscription.receive_until_quiet(milliseconds(60), 3);
  EXPECT_EQ(next.size(), 3u) << "three were settled";
  expect_stats(name, 27, 10, 0);
}

CONTRACT_TEST(Flow, WhatIsPastPrefetchIsForOthers, "swapmq_subscribe_args.prefetch",
              "a full subscription keeps nothing from others beyond its prefetch") {
  const std::string name = fresh_queue("flow");
  fill(name, messages("others", 30));
  Session session = consumer();
  Subscription full = session.subscribe(session.queue(name), 10);
  const Deliveries held = full.receive(10);
  Session second = consumer();
  Subscription other = second.subscribe(second.queue(name), 30);
  const Deliveries rest = other.receive(20);
  EXPECT_EQ(other.poll(10, milliseconds(100)).size(), 0u) << "what the first one holds";
  other.ack_all(rest);
  full.ack_all(held);
  EXPECT_EQ(drain(name, 0), std::vector<std::string>());
}

CONTRACT_TEST(Flow, NotMoreThanAskedFor, "swapmq_exchange_args.max_messages",
              "an exchange hands out at most max_messages") {
  const std::string name = fresh_queue("flow");
  fill(name, messages("asked", 30));
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name), 30);
  Deliveries held;
  for (const std::size_t asked : {1u, 2u, 3u, 7u, 17u}) subscription.receive(asked, held);
  EXPECT_EQ(held.size(), 30u);
  subscription.ack_all(held);
}

CONTRACT_TEST(
    Flow, StopsAtMaxBytes, "swapmq_exchange_args.max_bytes",
    "an exchange stops adding bodies beyond max_bytes, and the first message always fits") {
  const std::string name = fresh_queue("flow");
  std::vector<Message> sent;
  for (const std::size_t size : {100u, 100u, 5000u, 10u, 10u}) {
    sent.push_back(message(pattern(size)));
  }
  fill(name, sent);
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name), 10);
  Deliveries held;
  for (int i = 0; i < 100 && held.size() < sent.size(); ++i) {
    // That each call keeps within it, the harness looks at.
    held.add(subscription.poll(10 - held.size(), milliseconds(250), 250));
  }
  EXPECT_EQ(held.size(), sent.size()) << "the first message of a call always fits";
  subscription.ack_all(held);
}

CONTRACT_TEST(Flow, ABatchComesAsSoonAsThereIsOne, "exchange()",
              "an exchange returns as soon as there is one message, and does not wait for more") {
  const std::string name = fresh_queue("flow");
  fill(name, messages("soon", 1));
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name), 100);
  const auto start = Clock::now();
  const Batch batch = subscription.poll(100, milliseconds(5000) + kit().options.tolerance);
  EXPECT_EQ(batch.size(), 1u);
  EXPECT_LT(since(start), milliseconds(5000)) << "waited for more although it had one";
}

CONTRACT_TEST(Flow, SeveralSubscriptionsOfOneSession, "subscribe()",
              "each of several subscriptions of a session gets the messages of its own queue") {
  Session session = consumer();
  std::vector<std::string> names;
  std::vector<Subscription> subscriptions;
  for (int i = 0; i < 5; ++i) {
    names.push_back(fresh_queue("several"));
    subscriptions.push_back(session.subscribe(session.queue(names.back()), 10));
  }
  for (const std::string& name : names) fill(name, message(name));
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Deliveries got = subscriptions[i].receive(1);
    EXPECT_EQ(got.body(0), names[i]);
    subscriptions[i].ack_all(got);
  }
}

} // namespace
} // namespace swapmq::contract
