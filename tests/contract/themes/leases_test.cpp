// SPDX-License-Identifier: MIT
//
// A consumer that dies gives its messages back; one that is only slow keeps them.
#include <algorithm>

#include "child.h"
#include "fixture.h"

namespace swapmq::contract {
namespace {

constexpr milliseconds kLease{400};

class Leases : public Contract {
 protected:
  /// Nothing comes to another consumer while `sign_of_life` is called now and then.
  void expect_kept(const std::string& name, const std::function<void()>& sign_of_life) {
    Session session = consumer();
    Subscription other = session.subscribe(session.queue(name), 5, kLease);
    const auto start = Clock::now();
    while (since(start) < 3 * kLease) {
      sign_of_life();
      ASSERT_EQ(other.poll(5, milliseconds(60)).size(), 0u)
          << "taken from a living consumer after " << since(start).count() << " ms, lease "
          << kLease.count() << " ms";
    }
  }
};

CONTRACT_TEST(Leases, AServedConsumerKeepsWhatItHolds, "service(); swapmq_subscribe_args.lease_ms",
              "a session that is served keeps what it holds beyond its lease") {
  const std::string name = fresh_queue("slow");
  fill(name, messages("slow", 5));
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name), 5, kLease);
  const Deliveries held = subscription.receive(5);
  expect_kept(name, [&] { session.service(); });
  subscription.ack_all(held);
}

CONTRACT_TEST(Leases, AWaitingConsumerKeepsWhatItHolds,
              "exchange(); swapmq_subscribe_args.lease_ms",
              "a session that waits in an exchange keeps what it holds beyond its lease") {
  const std::string name = fresh_queue("slow");
  fill(name, messages("slow", 2));
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name), 5, kLease);
  const Deliveries held = subscription.receive(2);
  std::size_t more = 0;
  Crew crew;
  crew.run([&] { more = subscription.poll(1, 3 * kLease + milliseconds(300)).size(); });
  expect_kept(name, [] {});
  crew.join();
  EXPECT_EQ(more, 0u);
  subscription.ack_all(held);
}

CONTRACT_TEST(Leases, AServedConsumerOfAnotherProcessKeepsWhatItHolds,
              "service(); swapmq_subscribe_args.lease_ms",
              "what a served session of another process holds is not taken over") {
  NEEDS_AT_LEAST(sharing, SWAPMQ_SHARING_MACHINE);
  const std::string name = fresh_queue("other");
  fill(name, messages("held there", 3));
  Child child("hold", {name, "3", std::to_string(kLease.count())});
  for (int i = 0; i < 3; ++i) child.expect_line();
  expect_kept(name, [] {});
}

CONTRACT_TEST(
    Leases, AKilledConsumerGivesBack,
    "swapmq_subscribe_args.lease_ms; swapmq_capabilities.counts_crashes",
    "what a killed process held is delivered to others after its lease, marked as redelivered") {
  NEEDS_AT_LEAST(sharing, SWAPMQ_SHARING_MACHINE);
  const std::string name = fresh_queue("killed");
  const auto sent = messages("held", 10);
  fill(name, sent);
  std::vector<std::string> held;
  {
    Child child("hold", {name, "5", std::to_string(kLease.count())});
    for (int i = 0; i < 5; ++i) held.push_back(child.expect_line());
    child.kill_now();
  }
  const auto killed = Clock::now();
  Session session = consumer();
  Subscription subscription = session.subscribe(session.queue(name), 10, kLease);
  const Deliveries got = subscription.receive(10);
  EXPECT_LE(since(killed), kLease + 10 * kit().options.tolerance) << "given back late";
  EXPECT_EQ(sorted(got.bodies()), sorted(bodies(sent)));
  for (std::size_t i = 0; i < got.size(); ++i) {
    const bool again = std::count(held.begin(), held.end(), got.body(i)) != 0;
    if (!again) {
      EXPECT_EQ(got[i].delivery_count, 1u) << got.body(i);
      continue;
    }
    EXPECT_NE(got[i].flags & SWAPMQ_DELIVERY_REDELIVERED, 0u) << got.body(i);
    if (can().counts_crashes != SWAPMQ_ABSENT) {
      EXPECT_EQ(got[i].delivery_count, 2u) << "counts_crashes is declared";
    }
  }
  subscription.ack_all(got);
}

} // namespace
} // namespace swapmq::contract
