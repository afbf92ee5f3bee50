// SPDX-License-Identifier: MIT
//
// Several who claim what waits for its time, while it is published, and while it falls due.
#include <map>
#include <mutex>
#include <set>

#include "fixture.h"

namespace swapmq::contract {
namespace {

/// Wall clocks are read in whole milliseconds, on both sides.
constexpr std::int64_t kEarlyMs = 2;
constexpr std::int64_t kHourMs = 3600 * 1000;

Message due(const std::string& body, std::int64_t due_at_ms) {
  Message made = message(body);
  made.due_at_ms = due_at_ms;
  return made;
}

class ClaimsUnderLoad : public Contract {
 protected:
  void SetUp() override {
    Contract::SetUp();
    if (claim_table() == nullptr) NOT_PROMISED(SWAPMQ_EXTENSION_CLAIM_DELAYED);
    name_ = fresh_queue("claims");
    Session session = consumer();
    Subscription one = session.subscribe(session.queue(name_), 1);
    // The power may depend on options.
    if (one.try_claim(1, soon()).status == SWAPMQ_NOT_SUPPORTED) {
      NOT_PROMISED("claims of delayed messages, with these options");
    }
  }

  std::string name_;
};

/// What claimers of one queue did, together.
class Ledger {
 public:
  explicit Ledger(std::size_t expected) : expected_(expected) {}
  void acked(const std::string& body) {
    const std::lock_guard lock(mutex_);
    ++times_[body];
  }
  /// False if another holds it.
  bool take(const std::string& body) {
    const std::lock_guard lock(mutex_);
    return held_.insert(body).second;
  }
  void put_down(const std::string& body) {
    const std::lock_guard lock(mutex_);
    held_.erase(body);
  }
  bool complete() {
    const std::lock_guard lock(mutex_);
    return times_.size() >= expected_;
  }
  std::map<std::string, int> times() {
    const std::lock_guard lock(mutex_);
    return times_;
  }

 private:
  std::mutex mutex_;
  const std::size_t expected_;
  std::set<std::string> held_;
  std::map<std::string, int> times_;
};

enum class Habit { gives_some_back, gives_all_back };

/// Claims until all is acked; gives every fifth back when it sees it first, or all of them always.
void claim_all(Session session, const std::string& name, Ledger& ledger, Habit habit) {
  Subscription from = session.subscribe(session.queue(name), 64);
  std::set<std::string> released;
  const auto start = Clock::now();
  while (!ledger.complete() && since(start) < 3 * kit().options.patience) {
    Deliveries claimed;
    claimed.add(from.claim(20));
    std::vector<swapmq_settlement> settlements;
    std::vector<std::string> acked;
    for (std::size_t i = 0; i < claimed.size(); ++i) {
      const std::string body = claimed.body(i);
      EXPECT_TRUE(ledger.take(body)) << body << " is claimed by two";
      const bool gives_back = habit == Habit::gives_all_back ||
                              (std::stoul(body) % 5 == 0 && released.insert(body).second);
      settlements.push_back(gives_back ? release(claimed[i]) : ack(claimed[i]));
      if (!gives_back) acked.push_back(body);
      if (gives_back) ledger.put_down(body); // before it is: whoever gets it is right
    }
    if (settlements.empty()) continue;
    EXPECT_EQ(from.settle(settlements), std::vector<swapmq_status>(settlements.size(), SWAPMQ_OK));
    for (const std::string& body : acked) ledger.acked(body);
  }
}

CONTRACT_TEST(ClaimsUnderLoad, SeveralClaimersShareNoneAndLoseNone, "swapmq_claim_delayed.claim",
              "nobody else gets what is claimed, and with several claimers nothing is lost") {
  constexpr std::size_t kPublishers = 2;
  constexpr std::size_t kEach = 500;
  Ledger ledger(kPublishers * kEach);
  Crew crew;
  for (std::size_t p = 0; p < kPublishers; ++p) {
    crew.run([this, p] {
      Session session = publisher();
      swapmq_queue* queue = session.queue(name_);
      for (std::size_t i = 0; i < kEach; i += 10) {
        std::vector<Message> batch;
        for (std::size_t k = i; k < i + 10; ++k) {
          const auto later = static_cast<std::int64_t>(k * 37 % 1000);
          batch.push_back(due(std::to_string(p * kEach + k), unix_now_ms() + kHourMs + later));
        }
        session.confirm(queue, batch);
      }
    });
  }
  for (int c = 0; c < 3; ++c)
    crew.run([&] { claim_all(consumer(), name_, ledger, Habit::gives_some_back); });
  crew.join();
  EXPECT_EQ(ledger.times().size(), kPublishers * kEach) << "claimed and acked";
  for (const auto& [body, times] : ledger.times()) EXPECT_EQ(times, 1) << body;
  Session session = consumer();
  EXPECT_EQ(session.subscribe(session.queue(name_), 10).claim(10).size(), 0u);
  expect_stats(name_, 0, 0, 0);
}

CONTRACT_TEST(
    ClaimsUnderLoad, WhatFallsDueIsDeliveredOnceInTime, "swapmq_claim_delayed.claim",
    "what falls due while others claim and release it is delivered once, never before its time") {
  constexpr std::size_t kCount = 300;
  std::vector<Message> sent;
  const std::int64_t at = unix_now_ms() + 700;
  for (std::size_t i = 0; i < kCount; ++i) {
    sent.push_back(due(std::to_string(i), at + static_cast<std::int64_t>(i * 2)));
  }
  fill(name_, sent);
  Ledger ledger(kCount);
  Crew crew;
  for (int c = 0; c < 2; ++c)
    crew.run([&] { claim_all(consumer(), name_, ledger, Habit::gives_all_back); });
  crew.run([&] {
    Session session = consumer();
    Subscription reader = session.subscribe(session.queue(name_), 50);
    const auto start = Clock::now();
    while (!ledger.complete() && since(start) < 3 * kit().options.patience) {
      Deliveries got;
      got.add(reader.poll(50, milliseconds(50)));
      for (std::size_t i = 0; i < got.size(); ++i) {
        EXPECT_TRUE(ledger.take(got.body(i))) << got.body(i) << " is claimed and delivered";
        EXPECT_GE(unix_now_ms(), got[i].message->due_at_ms - kEarlyMs) << "came early";
      }
      reader.ack_all(got);
      for (std::size_t i = 0; i < got.size(); ++i) ledger.acked(got.body(i));
    }
  });
  crew.join();
  EXPECT_EQ(ledger.times().size(), kCount);
  for (const auto& [body, times] : ledger.times()) EXPECT_EQ(times, 1) << body;
}

} // namespace
} // namespace swapmq::contract
