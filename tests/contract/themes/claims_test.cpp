// SPDX-License-Identifier: MIT
//
// Claiming what waits for its time, to be moved elsewhere: swapmq.claim_delayed/1.
#include <algorithm>
#include <optional>

#include "child.h"
#include "fixture.h"

namespace swapmq::contract {
namespace {

/// Wall clocks are read in whole milliseconds, on both sides.
constexpr std::int64_t kEarlyMs = 2;
/// Far enough that what is about to be claimed is not due before, near enough to be waited for.
constexpr std::int64_t kSoonMs = 1500;
constexpr std::int64_t kHourMs = 3600 * 1000;
constexpr milliseconds kLease{400};

Message due(const std::string& body, std::int64_t due_at_ms) {
  Message made = message(body);
  made.due_at_ms = due_at_ms;
  return made;
}

class Claims : public Contract {
 protected:
  void SetUp() override {
    Contract::SetUp();
    if (claim_table() == nullptr) NOT_PROMISED(SWAPMQ_EXTENSION_CLAIM_DELAYED);
    name_ = fresh_queue("claims");
    session_.emplace(consumer());
    subscription_.emplace(subscribed(100));
    // The power may depend on options.
    if (subscription_->try_claim(1, soon()).status == SWAPMQ_NOT_SUPPORTED) {
      NOT_PROMISED("claims of delayed messages, with these options");
    }
  }

  Subscription subscribed(std::uint32_t prefetch) {
    return session_->subscribe(session_->queue(name_), prefetch, kLease);
  }
  Subscription& mover() { return *subscription_; }

  /// All of them, in the order of their claims.
  static Deliveries claim(Subscription& from, std::size_t count) {
    Deliveries claimed;
    EXPECT_TRUE(eventually([&] {
      claimed.add(from.claim(count - claimed.size()));
      return claimed.size() >= count;
    })) << "claimed "
        << claimed.size() << " of " << count;
    return claimed;
  }

  static void settle_all(Subscription& from, const Deliveries& claimed,
                         swapmq_settlement (*how)(const swapmq_delivery&)) {
    std::vector<swapmq_settlement> settlements;
    for (const swapmq_delivery* delivery : claimed) settlements.push_back(how(*delivery));
    EXPECT_EQ(from.settle(settlements), std::vector<swapmq_status>(settlements.size(), SWAPMQ_OK));
  }

  /// Is delivered, not before its time and not much after it or now.
  void expect_delivered(std::int64_t due_ms, std::uint32_t delivery_count) {
    const std::int64_t from = std::max(due_ms, unix_now_ms());
    const Deliveries got = mover().receive(1);
    const std::int64_t now = unix_now_ms();
    EXPECT_GE(now, due_ms - kEarlyMs) << "came early";
    EXPECT_LE(now, from + 4 * kit().options.tolerance.count()) << "came late";
    EXPECT_EQ(got[0].delivery_count, delivery_count);
    mover().ack_all(got);
  }

  std::string name_;
  std::optional<Session> session_;
  std::optional<Subscription> subscription_;
};

CONTRACT_TEST(Claims, EarliestDueComesFirst, "swapmq_claim_delayed.claim",
              "the earliest due is claimed first, and claiming is not counted") {
  NEEDS_AT_LEAST(delayed_publish, SWAPMQ_NATIVE);
  const std::int64_t at = unix_now_ms() + kHourMs;
  std::vector<Message> sent;
  for (const int order : {7, 2, 9, 0, 5, 11, 3, 8, 1, 10, 6, 4}) {
    sent.push_back(due("due " + std::to_string(order), at + order * 1000));
    if (can().priority != SWAPMQ_ABSENT) sent.back().priority = order % 3 == 0 ? 1 : 0;
  }
  fill(name_, sent);
  std::vector<std::string> order;
  Deliveries held;
  while (order.size() < sent.size()) {
    const Deliveries claimed = claim(mover(), std::min<std::size_t>(5, sent.size() - order.size()));
    ASSERT_FALSE(claimed.empty());
    for (std::size_t i = 0; i < claimed.size(); ++i) {
      EXPECT_EQ(claimed[i].message->due_at_ms, at + 1000 * static_cast<std::int64_t>(order.size()));
      EXPECT_EQ(claimed[i].delivery_count, 1u) << "never delivered";
      order.push_back(claimed.body(i));
    }
    settle_all(mover(), claimed, &ack);
  }
  for (std::size_t i = 0; i < order.size(); ++i) EXPECT_EQ(order[i], "due " + std::to_string(i));
  EXPECT_EQ(mover().claim(10).size(), 0u) << "none is left";
}

CONTRACT_TEST(Claims, WhatIsReadyOrUnackedIsNotClaimed, "swapmq_claim_delayed.claim",
              "only what waits for its time is claimed, not what is ready or unacked") {
  EXPECT_EQ(mover().claim(10).size(), 0u) << "of an empty queue";
  fill(name_, std::vector{message("now"), due("past", unix_now_ms() - 1000), message("held")});
  Session session = consumer();
  Subscription other = session.subscribe(session.queue(name_), 1);
  const Deliveries held = other.receive(1);
  EXPECT_EQ(mover().claim(10).size(), 0u);
  const Deliveries ready = mover().receive(2);
  EXPECT_EQ(mover().claim(10).size(), 0u);
  mover().ack_all(ready);
  other.ack_all(held);
}

CONTRACT_TEST(Claims, TheSizesFollow, "swapmq_claim_delayed.claim; swapmq_queue_stats",
              "what is claimed counts as unacked, and as delayed again once it is released") {
  std::vector<Message> sent;
  for (int i = 0; i < 5; ++i) sent.push_back(due(std::to_string(i), unix_now_ms() + kHourMs + i));
  fill(name_, sent);
  expect_stats(name_, 0, 0, 5);
  const Deliveries claimed = claim(mover(), 2);
  expect_stats(name_, 0, 2, 3);
  EXPECT_EQ(mover().settle(ack(claimed[0])), SWAPMQ_OK);
  expect_stats(name_, 0, 1, 3);
  EXPECT_EQ(mover().settle(release(claimed[1])), SWAPMQ_OK);
  expect_stats(name_, 0, 0, 4);
}

CONTRACT_TEST(Claims, AnAckedOneIsGone, "swapmq_claim_delayed.claim",
              "a claimed message that is acked is gone, and a second ack of it is LOST") {
  const std::int64_t at = unix_now_ms() + kSoonMs;
  fill(name_, std::vector{due("a", at), due("b", at), due("c", at)});
  const Deliveries claimed = claim(mover(), 3);
  ASSERT_EQ(claimed.size(), 3u);
  const std::vector twice{ack(claimed[0]), ack(claimed[1]), ack(claimed[0]), ack(claimed[2])};
  EXPECT_EQ(mover().settle(twice),
            (std::vector<swapmq_status>{SWAPMQ_OK, SWAPMQ_OK, SWAPMQ_LOST, SWAPMQ_OK}));
  EXPECT_EQ(mover().settle(ack(claimed[0])), SWAPMQ_LOST) << "settled before";
  const milliseconds beyond(at - unix_now_ms() + 300);
  EXPECT_EQ(mover().poll(3, std::max(beyond, milliseconds(0))).size(), 0u);
  expect_stats(name_, 0, 0, 0);
}

CONTRACT_TEST(
    Claims, NobodyElseGetsIt, "swapmq_claim_delayed.claim",
    "nobody else gets what is claimed, also when it falls due, as long as the claimer is served") {
  const std::int64_t at = unix_now_ms() + kSoonMs;
  fill(name_, due("claimed", at));
  const Deliveries claimed = claim(mover(), 1);
  ASSERT_EQ(claimed.size(), 1u);
  Session session = consumer();
  Subscription other = session.subscribe(session.queue(name_), 10, kLease);
  while (unix_now_ms() < at + 3 * kLease.count()) { // also while it is due, and past a lease
    ASSERT_EQ(other.poll(1, milliseconds(50)).size(), 0u) << "delivered, though it is claimed";
    ASSERT_EQ(other.claim(1).size(), 0u) << "claimed twice";
    session_->service();
  }
  EXPECT_EQ(mover().settle(ack(claimed[0])), SWAPMQ_OK);
}

CONTRACT_TEST(
    Claims, OneThatIsDueWhenItIsReleasedComesAtOnce, "swapmq_claim_delayed.claim",
    "a claimed message that has become due meanwhile is delivered at once when it is given back") {
  const std::int64_t at = unix_now_ms() + kSoonMs;
  fill(name_, due("due meanwhile", at));
  const Deliveries claimed = claim(mover(), 1);
  while (unix_now_ms() <= at + 100) { // its time passes in the hands of the claimer
    ASSERT_EQ(mover().poll(1, milliseconds(50)).size(), 0u);
  }
  EXPECT_EQ(mover().settle(release(claimed[0])), SWAPMQ_OK);
  EXPECT_EQ(mover().claim(1).size(), 0u) << "it waits no longer";
  expect_delivered(at, 1);
}

CONTRACT_TEST(Claims, AReleasedOneWaitsForItsTime, "swapmq_claim_delayed.claim",
              "a claimed message that is released waits on until its time, uncounted, and is never "
              "delivered before") {
  const std::int64_t at = unix_now_ms() + kSoonMs;
  fill(name_, due("released", at));
  for (int round = 0; round < 3; ++round) {
    const Deliveries claimed = claim(mover(), 1);
    ASSERT_EQ(claimed.size(), 1u);
    EXPECT_EQ(claimed[0].message->due_at_ms, at);
    EXPECT_EQ(claimed[0].delivery_count, 1u) << "claiming is not counted";
    EXPECT_EQ(mover().settle(release(claimed[0])), SWAPMQ_OK);
  }
  EXPECT_EQ(mover().poll(1, milliseconds(50)).size(), 0u) << "delivered early";
  expect_delivered(at, 1);
}

CONTRACT_TEST(Claims, AWaitingConsumerGetsWhatIsReleasedInTime, "swapmq_claim_delayed.claim",
              "a consumer that waits gets a message that was claimed and released when it is due") {
  const std::int64_t at = unix_now_ms() + kSoonMs;
  fill(name_, due("released", at));
  std::int64_t came = 0;
  Crew crew;
  crew.run([&] {
    Session session = consumer();
    Subscription waiting = session.subscribe(session.queue(name_), 1);
    const Deliveries got = waiting.receive(1);
    came = unix_now_ms();
    waiting.ack_all(got);
  });
  const Deliveries claimed = claim(mover(), 1);
  settle_all(mover(), claimed, &release);
  crew.join();
  EXPECT_GE(came, at - kEarlyMs);
  EXPECT_LE(came, at + kit().options.tolerance.count());
}

CONTRACT_TEST(
    Claims, LeavingGivesBack, "swapmq_claim_delayed.claim",
    "what a claimer holds when it unsubscribes or closes waits on until its time, uncounted") {
  for (const bool unsubscribes : {true, false}) {
    SCOPED_TRACE(unsubscribes ? "unsubscribe" : "session_close");
    const std::int64_t at = unix_now_ms() + kSoonMs;
    fill(name_, due("left", at));
    {
      Session session = consumer();
      Subscription leaving = session.subscribe(session.queue(name_), 10);
      const Deliveries claimed = claim(leaving, 1);
      ASSERT_EQ(claimed.size(), 1u);
      if (unsubscribes) leaving.unsubscribe();
      session.close();
    }
    EXPECT_EQ(mover().poll(1, milliseconds(50)).size(), 0u) << "delivered early";
    const Deliveries again = claim(mover(), 1);
    ASSERT_EQ(again.size(), 1u);
    EXPECT_EQ(again[0].message->due_at_ms, at);
    EXPECT_EQ(again[0].delivery_count, 1u);
    EXPECT_EQ(mover().settle(release(again[0])), SWAPMQ_OK);
    expect_delivered(at, 1);
  }
}

CONTRACT_TEST(Claims, AKilledClaimerGivesBack, "swapmq_claim_delayed.claim",
              "what a killed process had claimed waits on until its time, uncounted") {
  NEEDS_AT_LEAST(sharing, SWAPMQ_SHARING_MACHINE);
  const std::int64_t at = unix_now_ms() + kHourMs;
  const std::int64_t early = unix_now_ms() + kSoonMs + 1000;
  std::vector<Message> sent{due("comes soon", early)};
  for (int i = 0; i < 4; ++i) sent.push_back(due("later " + std::to_string(i), at + i));
  fill(name_, sent);
  {
    Child child("claim", {name_, "5", std::to_string(kLease.count())});
    std::vector<std::string> held;
    for (std::size_t i = 0; i < sent.size(); ++i) held.push_back(child.expect_line());
    child.kill_now();
    EXPECT_EQ(sorted(held), sorted(bodies(sent)));
  }
  // Whoever looks gives it back. One after the other, so that none is taken for delivered early.
  EXPECT_EQ(mover().poll(1, 2 * kLease).size(), 0u) << "delivered early";
  expect_delivered(early, 1);
  const Deliveries again = claim(mover(), 4);
  ASSERT_EQ(again.size(), 4u);
  for (std::size_t i = 0; i < again.size(); ++i) {
    EXPECT_EQ(again[i].message->due_at_ms, at + static_cast<std::int64_t>(i));
    EXPECT_EQ(again[i].delivery_count, 1u) << "a claim that ends so is not counted";
  }
  settle_all(mover(), again, &ack);
}

CONTRACT_TEST(Claims, WhatASilentClaimerSettlesIsTrue,
              "swapmq_claim_delayed.claim; swapmq_subscribe_args.lease_ms",
              "the ack of a claim past its lease is OK and the message is gone, or LOST and it is "
              "delivered in time") {
  const std::int64_t at = unix_now_ms() + kSoonMs;
  fill(name_, due("claimed in silence", at));
  Session silent = consumer();
  Subscription claimer = silent.subscribe(silent.queue(name_), 1, kLease);
  const Deliveries claimed = claim(claimer, 1);
  ASSERT_EQ(claimed.size(), 1u);
  const auto start = Clock::now();
  while (since(start) < 2 * kLease) { // others may take its claim from it, or not
    ASSERT_EQ(mover().poll(1, milliseconds(50)).size(), 0u) << "delivered early";
  }
  const swapmq_status status = claimer.settle(ack(claimed[0]));
  if (status == SWAPMQ_LOST) return expect_delivered(at, 1);
  EXPECT_EQ(status, SWAPMQ_OK);
  const milliseconds beyond(at - unix_now_ms() + 300);
  EXPECT_EQ(mover().poll(1, std::max(beyond, milliseconds(0))).size(), 0u) << "acked";
}

CONTRACT_TEST(
    Claims, OfOneThatWasNackedWithADelay, "swapmq_claim_delayed.claim",
    "a claim of a nacked message shows the nack's due time and the count of its next delivery") {
  NEEDS(delayed_nack);
  fill(name_, message("nacked"));
  const std::int64_t at = unix_now_ms() + kSoonMs;
  const Deliveries first = mover().receive(1);
  ASSERT_EQ(mover().settle(nack(first[0], at)), SWAPMQ_OK);
  const Deliveries claimed = claim(mover(), 1);
  ASSERT_EQ(claimed.size(), 1u);
  EXPECT_EQ(claimed[0].message->due_at_ms, at) << "when the nack wants it";
  EXPECT_EQ(claimed[0].delivery_count, 2u);
  EXPECT_EQ(mover().settle(release(claimed[0])), SWAPMQ_OK);
  EXPECT_EQ(mover().poll(1, milliseconds(50)).size(), 0u) << "delivered early";
  expect_delivered(at, 2);
}

CONTRACT_TEST(Claims, ANackIsCounted, "swapmq_claim_delayed.claim; SWAPMQ_SETTLE_NACK",
              "a nack of a claimed message is counted as ever, and its delay is kept") {
  NEEDS(delayed_nack);
  fill(name_,
       std::vector{due("later", unix_now_ms() + kHourMs), due("now", unix_now_ms() + kHourMs + 1)});
  const Deliveries claimed = claim(mover(), 2);
  const std::int64_t at = unix_now_ms() + 400;
  const std::vector settlements{nack(claimed[0], at), nack(claimed[1])};
  EXPECT_EQ(mover().settle(settlements), std::vector<swapmq_status>(2, SWAPMQ_OK));
  const Deliveries now = mover().receive(1);
  EXPECT_EQ(now.body(0), "now");
  EXPECT_EQ(now[0].delivery_count, 2u);
  mover().ack_all(now);
  expect_delivered(at, 2);
}

CONTRACT_TEST(
    Claims, CountsTimesAndFieldsAreKept, "swapmq_claim_delayed.claim; swapmq_message",
    "a claimed message comes with all its fields, times and counts, also after it was released") {
  Message moved = due("moved from elsewhere", unix_now_ms() + kHourMs);
  moved.delivery_count = 3;
  moved.timestamp_ms = unix_now_ms() - 5000;
  moved.first_published_ms = unix_now_ms() - 10 * kHourMs;
  if (can().ttl != SWAPMQ_ABSENT) moved.expires_at_ms = unix_now_ms() + 2 * kHourMs;
  if (can().priority != SWAPMQ_ABSENT) moved.priority = 1;
  moved.headers = {{"a", std::string("\0\xff", 2)}, {"b", ""}};
  moved.ordering_key = "key";
  moved.correlation_id = "correlation";
  moved.reply_to = "reply";
  moved.content_type = "text/plain";
  fill(name_, moved);
  for (int round = 0; round < 2; ++round) { // also after it came back
    const Deliveries claimed = claim(mover(), 1);
    ASSERT_EQ(claimed.size(), 1u);
    EXPECT_EQ(difference(moved, copy(*claimed[0].message)), "");
    EXPECT_EQ(claimed[0].delivery_count, 4u) << "three were counted elsewhere";
    settle_all(mover(), claimed, &release);
  }
}

CONTRACT_TEST(Claims, DeadLetteringOneTakesItOut,
              "swapmq_claim_delayed.claim; SWAPMQ_SETTLE_DEAD_LETTER",
              "a claimed message that is dead-lettered is moved to the target") {
  NEEDS(dead_letter);
  const std::string target = fresh_queue("dead");
  fill(name_, due("dead", unix_now_ms() + kHourMs));
  const Deliveries claimed = claim(mover(), 1);
  swapmq_queue* const dead = session_->queue(target);
  EXPECT_EQ(mover().settle(dead_letter(claimed[0], dead)), SWAPMQ_OK);
  expect_stats(name_, 0, 0, 0);
  EXPECT_EQ(drain(target, 1), std::vector<std::string>{"dead"});
}

CONTRACT_TEST(Claims, CreditsAndBytesBoundThem, "swapmq_claim_delayed.claim",
              "claims stay within the prefetch and max_bytes, and the first message always fits") {
  std::vector<Message> sent;
  for (int i = 0; i < 8; ++i) sent.push_back(due(pattern(1000), unix_now_ms() + kHourMs + i));
  fill(name_, sent);
  Subscription three = subscribed(3);
  Deliveries claimed = claim(three, 3);
  EXPECT_EQ(three.claim(10).size(), 0u) << "past its prefetch";
  EXPECT_EQ(three.settle(ack(claimed[0])), SWAPMQ_OK);
  EXPECT_EQ(three.claim(10).size(), 1u);
  three.unsubscribe();
  EXPECT_TRUE(eventually([&] {
    const Batch two = mover().claim(10, 2500);
    for (std::size_t i = 0; i < two.size(); ++i) mover().settle(release(two[i]));
    return two.size() == 2;
  })) << "as many as max_bytes allows";
  const Batch one = mover().claim(10, 10);
  ASSERT_EQ(one.size(), 1u) << "the first always fits";
  EXPECT_EQ(mover().settle(ack(one[0])), SWAPMQ_OK);
}

CONTRACT_TEST(Claims, AnExpiredOneIsNotClaimed,
              "swapmq_claim_delayed.claim; swapmq_message.expires_at_ms",
              "a message that has expired is not claimed") {
  NEEDS(ttl);
  std::vector<Message> sent{due("never", unix_now_ms() + kHourMs),
                            due("stays", unix_now_ms() + 2 * kHourMs)};
  sent[0].expires_at_ms = unix_now_ms() + 150;
  fill(name_, sent);
  while (unix_now_ms() <= sent[0].expires_at_ms) { // time itself is the matter
    std::this_thread::sleep_for(milliseconds(20));
  }
  const Deliveries claimed = claim(mover(), 1);
  ASSERT_EQ(claimed.size(), 1u);
  EXPECT_EQ(claimed.body(0), "stays");
  EXPECT_EQ(mover().claim(10).size(), 0u);
}

CONTRACT_TEST(Claims, PurgeLeavesWhatIsClaimed, "purge_queue(); swapmq_claim_delayed.claim",
              "a purge leaves what is claimed, and removes what else waits for its time") {
  NEEDS(purge);
  fill(name_, std::vector{due("claimed", unix_now_ms() + kHourMs),
                          due("purged", unix_now_ms() + 2 * kHourMs)});
  const Deliveries claimed = claim(mover(), 1);
  Session session = admin();
  EXPECT_EQ(session.purge(session.queue(name_)), 1u);
  EXPECT_EQ(mover().settle(release(claimed[0])), SWAPMQ_OK);
  const Deliveries again = claim(mover(), 1);
  ASSERT_EQ(again.size(), 1u);
  EXPECT_EQ(again.body(0), "claimed");
}

CONTRACT_TEST(Claims, OfADeletedQueueAreLost, "delete_queue(); swapmq_claim_delayed.claim",
              "a claim of a queue that was deleted settles as LOST") {
  fill(name_, due("gone", unix_now_ms() + kHourMs));
  const Deliveries claimed = claim(mover(), 1);
  Session session = admin();
  session.remove(session.queue(name_));
  EXPECT_EQ(mover().settle(ack(claimed[0])), SWAPMQ_LOST);
  EXPECT_EQ(mover().claim(1).size(), 0u);
}

CONTRACT_TEST(
    Claims, DeliveriesGoOnBeside, "swapmq_claim_delayed.claim; exchange()",
    "claims and deliveries of one subscription are settled together, each as it must be") {
  fill(name_, due("delayed", unix_now_ms() + kHourMs));
  const Deliveries claimed = claim(mover(), 1);
  fill(name_, messages("ready", 3));
  const Deliveries got = mover().receive(3);
  EXPECT_EQ(sorted(got.bodies()), (std::vector<std::string>{"ready 0", "ready 1", "ready 2"}));
  const std::vector settlements{ack(got[0]), release(claimed[0]), ack(got[1]), ack(got[2])};
  EXPECT_EQ(mover().settle(settlements), std::vector<swapmq_status>(4, SWAPMQ_OK));
  expect_stats(name_, 0, 0, 1);
  EXPECT_EQ(claim(mover(), 1).size(), 1u);
}

CONTRACT_TEST(Claims, StrictOrderGoesOnBeside,
              "SWAPMQ_QUEUE_STRICT_ORDER; swapmq_claim_delayed.claim",
              "a claim before its time holds up no delivery of a strict queue") {
  const std::string strict = fresh_queue("strict");
  const swapmq_queue_spec spec{sizeof spec, SWAPMQ_QUEUE_STRICT_ORDER, 0};
  swapmq_queue* queue = nullptr;
  if (session_->try_queue(strict, spec, &queue) != SWAPMQ_OK) NOT_PROMISED("strict order");
  Subscription claimer = session_->subscribe(queue, 10);
  Session session = publisher();
  swapmq_queue* into = session.queue(strict, 0, SWAPMQ_QUEUE_STRICT_ORDER);
  session.confirm(into, due("delayed", unix_now_ms() + kHourMs));
  const Deliveries claimed = claim(claimer, 1);
  session.confirm(into, message("ready"));
  Session other = consumer();
  Subscription reader = other.subscribe(other.queue(strict, 0, SWAPMQ_QUEUE_STRICT_ORDER), 10);
  const Deliveries got = reader.receive(1);
  EXPECT_EQ(got.body(0), "ready") << "a claim before its time stands in nobody's way";
  reader.ack_all(got);
  settle_all(claimer, claimed, &ack);
}

} // namespace
} // namespace swapmq::contract
