// SPDX-License-Identifier: MIT
//
// The book of what a consumer holds. A receipt names a slot and its generation, so a settlement
// costs no search, and one that comes twice finds that the slot has moved on.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "entry_id.hpp"
#include "swapmq/backend.h"

namespace swapmq::redis {

struct Slot {
  EntryId id;
  uint32_t deliveries = 0; // as the server counts them in its pending list
  uint32_t generation = 0;
  bool used = false;
  bool suspect = false;  // the lease may have ended since it was delivered: others may have it now
  bool settling = false; // by the call under way
  int64_t expires_ms = 0;
  bool claimed = false; // before its time
  bool later = false;   // and it is an entry of `later`, not of the stream
};

/// How `claimed` at the server, and the scripts, name what was claimed before its time.
inline std::string claimed_member(const Slot& slot) {
  return (slot.later ? "later:" : "") + std::string(EntryIdText(slot.id).text());
}

struct Receipt {
  uint64_t consumer; // a nonce of the subscription
  uint32_t slot;
  uint32_t generation;

  [[nodiscard]] std::string_view bytes() const {
    return {reinterpret_cast<const char*>(this), sizeof *this};
  }
};

class Slots {
 public:
  explicit Slots(uint64_t nonce) : nonce_(nonce) {}

  uint32_t add(const EntryId& id, uint32_t deliveries, int64_t expires_ms) {
    if (free_.empty()) {
      free_.push_back(static_cast<uint32_t>(slots_.size()));
      slots_.emplace_back();
    }
    const uint32_t index = free_.back();
    free_.pop_back();
    Slot& slot = slots_[index];
    slot = Slot{id, deliveries, slot.generation + 1, true, false, false, expires_ms};
    ++used_;
    return index;
  }

  /// What was claimed before its time.
  uint32_t add_claimed(const EntryId& id, bool later, uint32_t deliveries, int64_t expires_ms) {
    const uint32_t index = add(id, deliveries, expires_ms);
    slots_[index].claimed = true;
    slots_[index].later = later;
    if (later) ++later_;
    return index;
  }

  void remove(uint32_t index) {
    Slot& slot = slots_[index];
    if (!slot.used) return;
    slot.used = false;
    if (slot.later) --later_;
    free_.push_back(index);
    --used_;
  }

  [[nodiscard]] Receipt receipt(uint32_t index) const {
    return {nonce_, index, slots_[index].generation};
  }

  /// The slot of a receipt, unless it is no longer, or was never, this consumer's.
  [[nodiscard]] std::optional<uint32_t> find(const swapmq_receipt& receipt) const {
    if (receipt.size != sizeof(Receipt)) return std::nullopt;
    Receipt given; // NOLINT: all of it is copied
    std::memcpy(&given, receipt.bytes, sizeof given);
    if (given.consumer != nonce_ || given.slot >= slots_.size()) return std::nullopt;
    const Slot& slot = slots_[given.slot];
    if (!slot.used || slot.settling || slot.generation != given.generation) return std::nullopt;
    return given.slot;
  }

  Slot& operator[](uint32_t index) { return slots_[index]; }
  [[nodiscard]] uint64_t nonce() const { return nonce_; }
  [[nodiscard]] std::size_t used() const { return used_; }
  /// How many are entries of the stream.
  [[nodiscard]] std::size_t of_stream() const { return used_ - later_; }

  template <class Gone>
  void remove_if(Gone&& gone) {
    for (uint32_t index = 0; index < slots_.size(); ++index) {
      if (slots_[index].used && gone(slots_[index])) remove(index);
    }
  }

  void suspect_all() {
    for (Slot& slot : slots_) slot.suspect = true;
  }
  template <class Each>
  void for_each(Each&& each) const {
    for (const Slot& slot : slots_) {
      if (slot.used) each(slot);
    }
  }

 private:
  uint64_t nonce_;
  std::vector<Slot> slots_;
  std::vector<uint32_t> free_;
  std::size_t used_ = 0;
  std::size_t later_ = 0; // of those
};

static_assert(sizeof(Receipt) <= SWAPMQ_RECEIPT_BYTES);

} // namespace swapmq::redis
