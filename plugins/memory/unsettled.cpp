// SPDX-License-Identifier: MIT
#include "unsettled.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace swapmq::memory {

std::optional<Receipt> Receipt::read(const swapmq_receipt& given) {
  if (given.size != sizeof(Receipt)) return std::nullopt;
  Receipt receipt;
  std::memcpy(&receipt, given.bytes, sizeof receipt);
  return receipt;
}

void Unsettled::ensure(std::size_t count) {
  const std::size_t needed = size_ + count;
  if (needed > slots_.capacity()) slots_.reserve(std::max(needed, 2 * slots_.capacity()));
}

Receipt Unsettled::add(EntryPtr entry) noexcept {
  std::size_t index = first_free_;
  if (index == kNone) {
    index = slots_.size();
    slots_.emplace_back();
  } else {
    first_free_ = slots_[index].next_free;
  }
  Slot& slot = slots_[index];
  slot.entry = std::move(entry);
  slot.turn = ++turns_;
  ++size_;
  sweep_ = std::min(sweep_, index);
  return {subscription_, slot.turn, index};
}

Entry* Unsettled::find(const Receipt& receipt) const {
  if (receipt.subscription != subscription_ || receipt.slot >= slots_.size()) return nullptr;
  const Slot& slot = slots_[static_cast<std::size_t>(receipt.slot)];
  return slot.turn == receipt.turn ? slot.entry.get() : nullptr;
}

EntryPtr Unsettled::take(const Receipt& receipt) noexcept {
  return take_slot(static_cast<std::size_t>(receipt.slot));
}

EntryPtr Unsettled::take_any() noexcept {
  if (size_ == 0) return {};
  while (!slots_[sweep_].entry) ++sweep_;
  return take_slot(sweep_);
}

EntryPtr Unsettled::take_slot(std::size_t index) noexcept {
  Slot& slot = slots_[index];
  slot.next_free = std::exchange(first_free_, index);
  --size_;
  return std::move(slot.entry);
}

} // namespace swapmq::memory
