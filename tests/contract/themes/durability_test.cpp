// SPDX-License-Identifier: MIT
//
// What is confirmed or settled survives what the backend says it survives.
#include <algorithm>

#include "child.h"
#include "fixture.h"

namespace swapmq::contract {
namespace {

class Durability : public Contract {};

#define NEEDS_OTHER_PROCESSES()                          \
  NEEDS_AT_LEAST(durability, SWAPMQ_DURABILITY_PROCESS); \
  NEEDS_AT_LEAST(sharing, SWAPMQ_SHARING_MACHINE)

CONTRACT_TEST(Durability, ConfirmedSurvivesAKill, "swapmq_capabilities.durability",
              "what was confirmed survives the kill of the process that published it") {
  NEEDS_OTHER_PROCESSES();
  for (const std::size_t enough : {10u, 30u, 70u, 150u, 310u}) {
    const std::string name = fresh_queue("killed");
    std::size_t confirmed = 0;
    {
      Child child("publish", {name});
      while (confirmed < enough) confirmed = std::stoul(child.expect_line());
      child.kill_now();
      while (const auto line = child.read_line(Clock::now())) confirmed = std::stoul(*line);
    }
    const std::vector<std::string> got = drain(name, confirmed);
    ASSERT_GE(got.size(), confirmed) << "confirmed messages were lost with their publisher";
    for (std::size_t i = 0; i < confirmed; ++i) {
      EXPECT_EQ(std::count(got.begin(), got.end(), std::to_string(i)), 1) << "message " << i;
      if (can().ordering != SWAPMQ_ORDERING_NONE) {
        EXPECT_EQ(got[i], std::to_string(i));
      }
    }
  }
}

CONTRACT_TEST(Durability, AckedStaysGoneAfterAKill, "swapmq_capabilities.durability",
              "what was acked does not come back when the process that acked it is killed") {
  NEEDS_OTHER_PROCESSES();
  const std::string name = fresh_queue("acked");
  fill(name, messages("message", 20));
  std::vector<std::string> acked;
  {
    Child child("settle", {name, "10", "ack", "0"});
    for (int i = 0; i < 10; ++i) acked.push_back(child.expect_line());
  }
  const std::vector<std::string> rest = drain(name, 10);
  EXPECT_EQ(rest.size(), 10u);
  for (const std::string& body : acked) {
    EXPECT_EQ(std::count(rest.begin(), rest.end(), body), 0) << body << " was acked";
  }
}

CONTRACT_TEST(Durability, ANackWithADelaySurvivesAKill, "swapmq_capabilities.delayed_nack",
              "a nack's delay and count survive the kill of the process that nacked") {
  NEEDS_OTHER_PROCESSES();
  NEEDS(delayed_nack);
  const std::string name = fresh_queue("nacked");
  fill(name, message("delayed"));
  const std::int64_t due = unix_now_ms() + 1500;
  {
    Child child("settle", {name, "1", "nack", std::to_string(due)});
    child.expect_line();
  }
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name), 1);
  const Deliveries got = subscription.receive(1);
  EXPECT_GE(unix_now_ms(), due - 2) << "came early";
  EXPECT_EQ(got[0].delivery_count, 2u) << "the nack was counted";
  subscription.ack_all(got);
}

CONTRACT_TEST(Durability, AllIsThereWhenABackendOpensAgain,
              "swapmq_capabilities.durability; close()",
              "messages, their delays and their counts are there when the backend is closed and "
              "opened again") {
  NEEDS_AT_LEAST(durability, SWAPMQ_DURABILITY_PROCESS);
  const std::string name = fresh_queue("reopened");
  auto sent = messages("kept", 10);
  sent[3].body = pattern(20000);
  sent[4].headers = {{"a", "b"}};
  fill(name, sent);
  std::size_t delayed = 0;
  if (can().delayed_publish != SWAPMQ_ABSENT) {
    Message later = message("later");
    later.due_at_ms = unix_now_ms() + 60000;
    fill(name, later);
    delayed = 1;
  }
  {
    Session session = consumer();
    Subscription subscription = session.subscribe(session.queue(name), 1);
    subscription.settle(nack(subscription.receive(1)[0]));
  }
  backend().close();
  backend().open();
  expect_stats(name, 10, 0, delayed);
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name), 10);
  const Deliveries got = subscription.receive(10);
  EXPECT_EQ(sorted(got.bodies()), sorted(bodies(sent)));
  std::uint32_t counted = 0;
  for (const swapmq_delivery* delivery : got) counted += delivery->delivery_count;
  EXPECT_EQ(counted, 11u) << "one of ten was nacked once";
  subscription.ack_all(got);
}

} // namespace
} // namespace swapmq::contract
