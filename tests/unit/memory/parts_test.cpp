// SPDX-License-Identifier: MIT
//
// The containers, each against a model that is too simple to be wrong.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <random>
#include <set>
#include <tuple>
#include <vector>

#include "budget.hpp"
#include "entry_heap.hpp"
#include "ready_line.hpp"
#include "store.hpp"
#include "unsettled.hpp"

namespace swapmq::memory {
namespace {

TEST(Store, ForgetsANameThatASweepHadInHandWhenItWasTidied) {
  Store store(100, 1 << 20);
  std::shared_ptr<Queue> in_hand = store.queue("once"); // as a sweep of another session has it
  const std::weak_ptr<Queue> queue = in_hand;
  store.tidy("once");
  in_hand.reset();
  EXPECT_FALSE(queue.expired());
  Aftermath aftermath(store.budget());
  store.sweep(backend::unix_now_ms(), aftermath);
  EXPECT_TRUE(queue.expired());
}

EntryPtr entry_of(uint64_t sequence, uint32_t priority = 0, int64_t due_at_ms = 0) {
  swapmq_message message{};
  message.id = backend::bytes("id");
  message.header_size = sizeof(swapmq_header);
  message.priority = priority;
  EntryPtr made = Entry::make(message);
  made->place.sequence = sequence;
  made->place.due_at_ms = due_at_ms;
  return made;
}

struct DueBefore {
  bool operator()(const Entry& a, const Entry& b) const {
    return std::tie(a.place.due_at_ms, a.place.sequence) <
           std::tie(b.place.due_at_ms, b.place.sequence);
  }
};

TEST(EntryHeap, GivesTheFirstWhateverIsTakenOutOfItsMiddle) {
  std::mt19937 random(1);
  EntryHeap<EntryPtr, DueBefore, &Entry::Place::position> heap;
  std::map<std::pair<int64_t, uint64_t>, Entry*> model;
  heap.ensure(5000);
  for (uint64_t step = 0; step < 5000; ++step) {
    if (random() % 3 != 0 || model.empty()) {
      EntryPtr added = entry_of(step, 0, static_cast<int64_t>(random() % 50));
      model[{added->place.due_at_ms, step}] = added.get();
      heap.push(std::move(added));
    } else {
      auto victim = model.begin();
      std::advance(victim, static_cast<std::ptrdiff_t>(random() % model.size()));
      EXPECT_EQ(heap.remove(*victim->second).get(), victim->second);
      model.erase(victim);
    }
    ASSERT_EQ(heap.size(), model.size());
    if (!model.empty()) {
      ASSERT_EQ(&heap.top(), model.begin()->second);
    }
  }
  while (!model.empty()) {
    ASSERT_EQ(heap.pop().get(), model.begin()->second);
    model.erase(model.begin());
  }
}

/// Priorities fall, sequences rise.
using Rank = std::pair<int64_t, uint64_t>;
Rank rank_of(const Entry& entry) {
  return {-static_cast<int64_t>(entry.message().priority), entry.place.sequence};
}

TEST(ReadyLine, IsInOrderWhateverComesBackOrExpires) {
  std::mt19937 random(2);
  ReadyLine line;
  std::map<Rank, Entry*> standing;
  std::vector<EntryPtr> out;
  for (uint64_t step = 0; step < 20000; ++step) {
    const auto choice = random() % 10;
    if (choice < 4) {
      EntryPtr added = entry_of(step, static_cast<uint32_t>(random() % 10));
      standing[rank_of(*added)] = added.get();
      line.push_new(std::move(added));
    } else if (choice < 6 && !standing.empty()) {
      ASSERT_EQ(&line.front(), standing.begin()->second);
      out.push_back(line.pop_front());
      ASSERT_EQ(out.back().get(), standing.begin()->second);
      standing.erase(standing.begin());
    } else if (choice < 7 && !out.empty()) {
      EntryPtr back = std::move(out.back());
      out.pop_back();
      standing[rank_of(*back)] = back.get();
      line.ensure_returns(1);
      line.put_back(std::move(back));
    } else if (!standing.empty()) {
      auto victim = standing.begin();
      std::advance(victim, static_cast<std::ptrdiff_t>(random() % standing.size()));
      ASSERT_EQ(line.remove(*victim->second).get(), victim->second);
      standing.erase(victim);
    }
    ASSERT_EQ(line.size(), standing.size());
  }
}

TEST(ReadyLine, ClosesTheGapsOfManyRemoved) {
  ReadyLine line;
  std::vector<Entry*> standing;
  for (uint64_t i = 0; i < 10000; ++i) {
    EntryPtr added = entry_of(i);
    standing.push_back(added.get());
    line.push_new(std::move(added));
  }
  for (std::size_t i = 0; i < 10000; ++i) {
    if (i % 100 != 7) line.remove(*standing[i]);
  }
  ASSERT_EQ(line.size(), 100U);
  for (std::size_t i = 0; i < 100; ++i) {
    const EntryPtr popped = line.pop_front();
    ASSERT_EQ(popped->place.sequence, 100 * i + 7);
  }
  EXPECT_EQ(line.size(), 0U);
}

swapmq_receipt wire(const Receipt& receipt) {
  swapmq_receipt out{};
  out.size = static_cast<uint32_t>(receipt.view().size());
  std::memcpy(out.bytes, receipt.view().data(), receipt.view().size());
  return out;
}

TEST(Unsettled, FindsByReceiptUntilItIsTaken) {
  Unsettled held(1);
  held.ensure(2);
  const EntryPtr entry = entry_of(1);
  const Receipt receipt = *Receipt::read(wire(held.add(entry)));
  EXPECT_EQ(held.find(receipt), entry.get());
  EXPECT_EQ(held.take(receipt).get(), entry.get());
  EXPECT_EQ(held.find(receipt), nullptr);
  EXPECT_EQ(held.size(), 0U);
}

TEST(Unsettled, AStaleReceiptDoesNotNameTheNextInItsSlot) {
  Unsettled held(1);
  held.ensure(1);
  const Receipt stale = held.add(entry_of(1));
  held.take(stale);
  const Receipt fresh = held.add(entry_of(2));
  EXPECT_EQ(fresh.slot, stale.slot);
  EXPECT_EQ(held.find(stale), nullptr);
  EXPECT_NE(held.find(fresh), nullptr);
}

TEST(Unsettled, KnowsNoReceiptOfAnotherSubscription) {
  Unsettled one(1);
  Unsettled other(2);
  one.ensure(1);
  other.ensure(1);
  const Receipt foreign = one.add(entry_of(1));
  other.add(entry_of(2));
  EXPECT_EQ(other.find(foreign), nullptr);
}

TEST(Unsettled, RefusesReceiptsThatMeanNothing) {
  Unsettled held(1);
  held.ensure(1);
  held.add(entry_of(1));
  EXPECT_EQ(held.find({1, 1, 99}), nullptr);
  EXPECT_EQ(held.find({1, 1, ~uint64_t{0}}), nullptr);
  swapmq_receipt short_one = wire({1, 1, 0});
  short_one.size = 5;
  EXPECT_FALSE(Receipt::read(short_one).has_value());
}

TEST(Unsettled, GivesEverythingBackOnce) {
  Unsettled held(1);
  held.ensure(100);
  std::vector<Receipt> receipts;
  for (uint64_t i = 0; i < 100; ++i) receipts.push_back(held.add(entry_of(i)));
  for (std::size_t i = 0; i < 100; i += 3) held.take(receipts[i]);
  std::set<uint64_t> rest;
  while (const EntryPtr entry = held.take_any()) rest.insert(entry->place.sequence);
  EXPECT_EQ(rest.size(), 66U);
  EXPECT_FALSE(rest.contains(99));
  EXPECT_EQ(held.size(), 0U);
}

TEST(Budget, GrantsUpToTheLimitAndTakesBackWhatIsNotSpent) {
  Budget budget(100);
  {
    Grant grant(budget);
    EXPECT_TRUE(grant.add(60));
    EXPECT_FALSE(grant.add(41));
    EXPECT_TRUE(grant.add(40));
    EXPECT_FALSE(grant.add(~uint64_t{0}));
    grant.spend(30);
  }
  EXPECT_EQ(budget.used(), 30U);
}

} // namespace
} // namespace swapmq::memory
