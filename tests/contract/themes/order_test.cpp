// SPDX-License-Identifier: MIT
//
// First deliveries come in publish order, as far as the backend says so.
#include <map>

#include "fixture.h"

namespace swapmq::contract {
namespace {

class Order : public Contract {};

void expect_in_order(const std::vector<std::string>& got, const std::vector<std::string>& sent) {
  ASSERT_EQ(got.size(), sent.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    ASSERT_EQ(got[i], sent[i]) << "delivery " << i << " of " << sent.size();
  }
}

/// All that comes to a subscription until it is so many, acked.
std::vector<std::string> receive_all(Subscription& subscription, std::size_t count,
                                     std::size_t at_once) {
  std::vector<std::string> got;
  while (got.size() < count) {
    Batch batch = subscription.poll(at_once, kit().options.patience);
    if (batch.size() == 0) throw Breach("nothing came after " + std::to_string(got.size()));
    Deliveries some;
    some.add(std::move(batch));
    for (std::size_t i = 0; i < some.size(); ++i) got.push_back(some.body(i));
    subscription.ack_all(some);
  }
  return got;
}

CONTRACT_TEST(Order, FirstDeliveriesComeInPublishOrder,
              "swapmq_capabilities.ordering; SWAPMQ_ORDERING_QUEUE",
              "first deliveries come in publish order, across batches of any size") {
  NEEDS(ordering);
  const std::string name = fresh_queue("order");
  const auto sent = messages("ordered", 5000);
  Session session = publisher();
  swapmq_queue* queue = session.queue(name);
  for (std::size_t done = 0, size = 1; done < sent.size(); size = size % 200 + 37) {
    const std::size_t part = std::min(size, sent.size() - done);
    session.confirm(queue, {&sent[done], part});
    done += part;
  }
  expect_in_order(drain(name, sent.size()), bodies(sent));
}

CONTRACT_TEST(Order, PublishingWhileConsuming,
              "swapmq_capabilities.ordering; SWAPMQ_ORDERING_QUEUE",
              "first deliveries come in publish order while the publisher is still at work") {
  NEEDS(ordering);
  const std::string name = fresh_queue("order");
  const auto sent = messages("flowing", 600);
  Crew crew;
  crew.run([&] {
    Session session = publisher();
    swapmq_queue* queue = session.queue(name);
    for (const Message& message : sent) session.confirm(queue, message);
  });
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name), 7);
  const std::vector<std::string> got = receive_all(subscription, sent.size(), 7);
  crew.join();
  expect_in_order(got, bodies(sent));
}

/// A consumer and a publisher make the same queue at the same moment, and who is later must not
/// publish into one that is half made.
CONTRACT_TEST(Order, WhereTheQueueIsJustBeingMade,
              "swapmq_capabilities.ordering; SWAPMQ_ORDERING_QUEUE",
              "first deliveries come in publish order though consumer and publisher make the queue "
              "at the same moment") {
  NEEDS(ordering);
  const auto sent = messages("early", 400);
  Session publishing = publisher();
  Session consuming = consumer();
  for (int round = 0; round < 20 && !HasFailure(); ++round) {
    const std::string name = fresh_queue("order");
    Crew crew;
    crew.run([&] { publishing.confirm(publishing.queue(name), sent); });
    Subscription subscription = consuming.subscribe(consuming.queue(name), 64);
    expect_in_order(receive_all(subscription, sent.size(), 64), bodies(sent));
  }
}

CONTRACT_TEST(Order, WhatASessionHeldGoesBackToItsPlace,
              "session_close(); swapmq_capabilities.ordering",
              "what a session held goes back to its place in the queue when it is closed") {
  NEEDS(ordering);
  NEEDS(release);
  const std::string name = fresh_queue("order");
  const auto sent = messages("placed", 20);
  fill(name, sent);
  {
    Session session = consumer();
    Subscription subscription = session.subscribe(session.queue(name), 5);
    const Deliveries held = subscription.receive(5);
    session.close();
  }
  expect_in_order(drain(name, sent.size()), bodies(sent));
}

CONTRACT_TEST(Order, WhatWasReleasedGoesBackToItsPlace,
              "SWAPMQ_SETTLE_RELEASE; swapmq_capabilities.ordering",
              "what was released goes back to its place in the queue") {
  NEEDS(ordering);
  NEEDS(release);
  const std::string name = fresh_queue("order");
  const auto sent = messages("placed", 20);
  fill(name, sent);
  Session session = consumer();
  {
    Subscription subscription = session.subscribe(session.queue(name), 20);
    const Deliveries held = subscription.receive(4);
    std::vector<swapmq_settlement> settlements;
    for (const swapmq_delivery* delivery : held) settlements.push_back(release(*delivery));
    subscription.settle(settlements);
  }
  expect_in_order(drain(name, sent.size()), bodies(sent));
}

/// Two consumers take turns on one thread, so that the order of their deliveries is known.
std::vector<std::string> by_turns(Subscription& first, Subscription& second, std::size_t count) {
  std::vector<std::string> got;
  const auto start = Clock::now();
  for (int turn = 0; got.size() < count; ++turn) {
    if (since(start) > kit().options.patience) throw Breach("not all messages came");
    Subscription& next = turn % 2 == 0 ? first : second;
    Deliveries some = next.receive_until_quiet(milliseconds(20), 1);
    for (std::size_t i = 0; i < some.size(); ++i) got.push_back(some.body(i));
    next.ack_all(some);
  }
  return got;
}

CONTRACT_TEST(Order, OfAKeyAcrossConsumers, "SWAPMQ_ORDERING_KEY",
              "messages of one ordering_key come in publish order, also across several consumers") {
  NEEDS_AT_LEAST(ordering, SWAPMQ_ORDERING_KEY);
  const std::string name = fresh_queue("keys");
  std::vector<Message> sent;
  for (int i = 0; i < 60; ++i) {
    sent.push_back(
        message(std::string(1, static_cast<char>('a' + i % 3)) + std::to_string(100 + i)));
    sent.back().ordering_key = sent.back().body.substr(0, 1);
  }
  fill(name, sent);
  Session one = consumer();
  Session other = consumer();
  Subscription first = one.subscribe(one.queue(name), 4);
  Subscription second = other.subscribe(other.queue(name), 4);
  std::map<char, std::string> last;
  for (const std::string& body : by_turns(first, second, sent.size())) {
    EXPECT_LT(last[body[0]], body) << "of one key";
    last[body[0]] = body;
  }
}

CONTRACT_TEST(Order, StrictAcrossConsumers, "SWAPMQ_QUEUE_STRICT_ORDER",
              "first deliveries of a strict queue come in publish order across several consumers") {
  NEEDS(ordering);
  const std::string name = fresh_queue("strict");
  Session one = consumer();
  const swapmq_queue_spec spec{sizeof spec, SWAPMQ_QUEUE_STRICT_ORDER, 0};
  swapmq_queue* queue = nullptr;
  const swapmq_status status = one.try_queue(name, spec, &queue);
  if (status == SWAPMQ_NOT_SUPPORTED || status == SWAPMQ_INVALID_ARGUMENT) {
    NOT_PROMISED("SWAPMQ_QUEUE_STRICT_ORDER");
  }
  ASSERT_EQ(status, SWAPMQ_OK);
  one.create(queue);
  const auto sent = messages("strict", 40);
  fill(name, sent);
  Session other = consumer();
  Subscription first = one.subscribe(queue, 4);
  Subscription second = other.subscribe(other.queue(name, 0, SWAPMQ_QUEUE_STRICT_ORDER), 4);
  expect_in_order(by_turns(first, second, sent.size()), bodies(sent));
}

} // namespace
} // namespace swapmq::contract
