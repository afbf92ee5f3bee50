// SPDX-License-Identifier: MIT
//
// The messages of a queue that could be delivered now: higher priority first, then in the order in
// which they were published, wherever they come from.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>

#include "entry.hpp"
#include "entry_heap.hpp"

namespace swapmq::memory {

/// Not thread-safe: its queue's lock covers it.
///
/// New messages stand in one deque per priority, in order by nature. Those that come back, or whose
/// delay is over, have older places; a heap holds them, and the front is the better of both.
class ReadyLine {
 public:
  [[nodiscard]] std::size_t size() const { return fresh_ + returned_.size(); }

  /// Adds an entry with the highest sequence so far. May throw, and then nothing has
  /// changed and the entry is the caller's still.
  void push_new(EntryPtr&& entry);

  /// Makes room so that `count` entries can come back, beside those that already have. May throw.
  void ensure_returns(std::size_t count) { returned_.ensure(returned_.size() + count); }
  /// Puts an entry where its priority and sequence belong.
  void put_back(EntryPtr entry) noexcept;

  /// These need size() > 0.
  [[nodiscard]] Entry& front() noexcept;
  EntryPtr pop_front() noexcept;

  /// Takes out an entry that stands here.
  EntryPtr remove(Entry& entry) noexcept;

 private:
  static constexpr std::size_t kLevels = 10; // priorities 0 to 9

  /// An entry's position is its index plus `base`; an entry that was removed leaves a null.
  struct Level {
    std::deque<EntryPtr> items;
    std::size_t base = 0;
    std::size_t live = 0;
  };
  struct Before {
    bool operator()(const Entry& a, const Entry& b) const {
      const uint32_t pa = a.message().priority;
      const uint32_t pb = b.message().priority;
      return pa != pb ? pa > pb : a.place.sequence < b.place.sequence;
    }
  };

  /// The level that holds the front, or null if the front is among the returned.
  Level* front_level() noexcept;
  static void close_gaps(Level& level) noexcept;

  std::array<std::unique_ptr<Level>, kLevels> levels_;
  uint32_t filled_ = 0; // bit p: level p has a live entry
  std::size_t fresh_ = 0;
  EntryHeap<EntryPtr, Before, &Entry::Place::position> returned_;
};

} // namespace swapmq::memory
