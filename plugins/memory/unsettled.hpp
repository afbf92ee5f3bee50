// SPDX-License-Identifier: MIT
//
// What one subscription holds unsettled, found by receipt in one step.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "entry.hpp"

namespace swapmq::memory {

/// Names one delivery of one subscription. A slot is used again; the turn and the subscription are
/// not, so that a receipt that was settled, or belongs elsewhere, is never mistaken for another.
struct Receipt {
  uint64_t subscription = 0;
  uint64_t turn = 0;
  uint64_t slot = 0;

  [[nodiscard]] std::string_view view() const {
    return {reinterpret_cast<const char*>(this), sizeof *this};
  }
  static std::optional<Receipt> read(const swapmq_receipt& given);
};
static_assert(sizeof(Receipt) <= SWAPMQ_RECEIPT_BYTES);

/// Belongs to the session's thread alone and needs no lock.
class Unsettled {
 public:
  explicit Unsettled(uint64_t subscription) : subscription_(subscription) {}

  [[nodiscard]] std::size_t size() const { return size_; }

  /// Makes room for `count` more; the one call that may throw.
  void ensure(std::size_t count);
  Receipt add(EntryPtr entry) noexcept;

  /// The entry of a receipt, or null: settled before, or never ours.
  [[nodiscard]] Entry* find(const Receipt& receipt) const;
  /// Takes out what find() found.
  EntryPtr take(const Receipt& receipt) noexcept;
  /// Takes out any one; null when there is none left.
  EntryPtr take_any() noexcept;

 private:
  struct Slot {
    EntryPtr entry; // null: the slot is free
    uint64_t turn = 0;
    std::size_t next_free = 0;
  };

  EntryPtr take_slot(std::size_t index) noexcept;

  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);
  uint64_t subscription_;
  uint64_t turns_ = 0;
  std::vector<Slot> slots_;
  std::size_t first_free_ = kNone;
  std::size_t size_ = 0;
  std::size_t sweep_ = 0; // take_any: slots before this one are free
};

} // namespace swapmq::memory
