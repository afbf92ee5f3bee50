// SPDX-License-Identifier: MIT
//
// The small parts: entry ids, the book of what a consumer holds.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "entry_id.hpp"
#include "slots.hpp"

namespace swapmq::redis {
namespace {

// ---- EntryId ------------------------------------------------------------------------------------

TEST(EntryIds, ComeBackAsTheyWereWritten) {
  std::mt19937_64 random(1);
  std::vector<EntryId> all{{0, 0}, {0, 1}, {1, 0}, {UINT64_MAX, UINT64_MAX}, {1700000000000, 42}};
  for (int i = 0; i < 1000; ++i) all.push_back({random() >> (i % 64), random() >> (i / 7 % 64)});
  EntryIdText again;
  for (const EntryId& id : all) {
    EntryId read;
    const EntryIdText text(id);
    EXPECT_EQ(again.become(id), text.text());
    EXPECT_EQ(again.become({id.ms, 7}), std::to_string(id.ms) + "-7");
    ASSERT_TRUE(parse(text.text(), read)) << text.text();
    EXPECT_EQ(read.ms, id.ms);
    EXPECT_EQ(read.sequence, id.sequence);
    EXPECT_EQ(text.text(), std::to_string(id.ms) + "-" + std::to_string(id.sequence));
  }
}

TEST(EntryIds, WhatIsNoneIsNotRead) {
  for (const std::string text : {"",
                                 "-",
                                 "1",
                                 "1-",
                                 "-1",
                                 "--1",
                                 "1--1",
                                 "a-1",
                                 "1-a",
                                 "1-1 ",
                                 " 1-1",
                                 "+1-1",
                                 "1-+1",
                                 "1-1-1",
                                 "1.0-1",
                                 "18446744073709551616-0",
                                 "0-18446744073709551616",
                                 "(1-1",
                                 "*",
                                 "$",
                                 ">"}) {
    EntryId id;
    EXPECT_FALSE(parse(text, id)) << text;
  }
  EntryId id;
  EXPECT_FALSE(parse(std::string_view(), id));
  EXPECT_FALSE(parse(std::string_view("1-1\0", 4), id));
}

TEST(EntryIds, AreInTheOrderOfTheStream) {
  EXPECT_LT((EntryId{1, 9}), (EntryId{2, 0}));
  EXPECT_LT((EntryId{1, 9}), (EntryId{1, 10}));
}

// ---- Slots --------------------------------------------------------------------------------------

swapmq_receipt given(const Receipt& receipt) {
  swapmq_receipt made{};
  made.size = sizeof receipt;
  std::memcpy(made.bytes, &receipt, sizeof receipt);
  return made;
}

TEST(SlotsTest, AReceiptFindsItsSlotUntilThatIsRemoved) {
  Slots slots(7);
  const uint32_t first = slots.add({1, 1}, 1, 0);
  const uint32_t second = slots.add({1, 2}, 3, 99);
  EXPECT_EQ(slots.used(), 2U);
  const swapmq_receipt receipt = given(slots.receipt(second));
  ASSERT_EQ(slots.find(receipt), second);
  EXPECT_EQ(EntryIdText(slots[second].id).text(), "1-2");
  EXPECT_EQ(slots[second].deliveries, 3U);
  EXPECT_EQ(slots[second].expires_ms, 99);
  slots.remove(second);
  EXPECT_EQ(slots.find(receipt), std::nullopt);
  EXPECT_EQ(slots.used(), 1U);
  slots.remove(second); // twice is once
  EXPECT_EQ(slots.used(), 1U);
  EXPECT_EQ(slots.find(given(slots.receipt(first))), first);
}

TEST(SlotsTest, AStaleReceiptDoesNotFindWhoHasTheSlotNow) {
  Slots slots(7);
  const uint32_t slot = slots.add({1, 1}, 1, 0);
  const swapmq_receipt stale = given(slots.receipt(slot));
  slots.remove(slot);
  ASSERT_EQ(slots.add({1, 2}, 1, 0), slot) << "a freed slot is used again";
  EXPECT_EQ(slots.find(stale), std::nullopt);
  EXPECT_EQ(slots.find(given(slots.receipt(slot))), slot);
  EXPECT_FALSE(slots[slot].suspect);
  EXPECT_FALSE(slots[slot].settling);
}

TEST(SlotsTest, NoReceiptOfAnotherIsFound) {
  Slots slots(7);
  const uint32_t slot = slots.add({1, 1}, 1, 0);
  Receipt receipt = slots.receipt(slot);
  for (uint32_t size = 0; size <= SWAPMQ_RECEIPT_BYTES; ++size) {
    swapmq_receipt cut = given(receipt);
    cut.size = size;
    EXPECT_EQ(slots.find(cut).has_value(), size == sizeof(Receipt)) << size;
  }
  receipt.consumer = 8;
  EXPECT_EQ(slots.find(given(receipt)), std::nullopt);
  receipt = slots.receipt(slot);
  receipt.slot = 1;
  EXPECT_EQ(slots.find(given(receipt)), std::nullopt);
  receipt.slot = UINT32_MAX;
  EXPECT_EQ(slots.find(given(receipt)), std::nullopt);
  receipt = slots.receipt(slot);
  --receipt.generation;
  EXPECT_EQ(slots.find(given(receipt)), std::nullopt);
}

TEST(SlotsTest, WhatIsBeingSettledIsNotFoundAgain) {
  Slots slots(7);
  const uint32_t slot = slots.add({1, 1}, 1, 0);
  slots[slot].settling = true;
  EXPECT_EQ(slots.find(given(slots.receipt(slot))), std::nullopt);
  slots[slot].settling = false;
  EXPECT_EQ(slots.find(given(slots.receipt(slot))), slot);
}

TEST(SlotsTest, AgreeWithABookThatIsSlow) {
  std::mt19937 random(3);
  Slots slots(1);
  std::vector<std::pair<swapmq_receipt, uint64_t>> held;
  std::vector<swapmq_receipt> stale;
  for (uint64_t i = 0; i < 20'000; ++i) {
    if (held.empty() || random() % 5 < 3) {
      const uint32_t slot = slots.add({i, 0}, 1, 0);
      held.emplace_back(given(slots.receipt(slot)), i);
    } else {
      std::swap(held[random() % held.size()], held.back());
      const auto slot = slots.find(held.back().first);
      ASSERT_TRUE(slot.has_value());
      ASSERT_EQ(slots[*slot].id.ms, held.back().second);
      slots.remove(*slot);
      stale.push_back(held.back().first);
      held.pop_back();
      ASSERT_EQ(slots.find(stale[random() % stale.size()]), std::nullopt);
    }
    ASSERT_EQ(slots.used(), held.size());
  }
  std::size_t seen = 0;
  slots.for_each([&](const Slot&) { ++seen; });
  EXPECT_EQ(seen, held.size());
  slots.suspect_all();
  slots.for_each([&](const Slot& slot) { EXPECT_TRUE(slot.suspect); });
}

} // namespace
} // namespace swapmq::redis
