// SPDX-License-Identifier: MIT
//
// A binary heap of entries in which each entry knows its own position, so that any of them can be
// taken out again. Room is made beforehand (ensure), so that push never fails: a message that comes
// back from a consumer must not be lost because memory is short.
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "entry.hpp"

namespace swapmq::memory {

/// Ptr is EntryPtr (the heap owns a share) or Entry* (it only points). Before is a strict order.
template <class Ptr, class Before, std::size_t Entry::Place::*Position>
class EntryHeap {
 public:
  [[nodiscard]] bool empty() const { return items_.empty(); }
  [[nodiscard]] std::size_t size() const { return items_.size(); }
  [[nodiscard]] Entry& top() const { return *items_.front(); }

  /// Makes room for `count` entries in all; the one call that may throw.
  void ensure(std::size_t count) {
    if (count > items_.capacity()) items_.reserve(std::max(count, 2 * items_.capacity()));
  }

  void push(Ptr entry) noexcept {
    items_.emplace_back();
    sift_up(items_.size() - 1, std::move(entry));
  }

  Ptr pop() noexcept { return remove(top()); }

  Ptr remove(Entry& entry) noexcept {
    const std::size_t hole = entry.place.*Position;
    Ptr removed = std::move(items_[hole]);
    Ptr last = std::move(items_.back());
    items_.pop_back();
    if (hole == items_.size()) { // it was the last itself, and `last` is what was left of it
      return removed;
    }
    if (hole > 0 && Before{}(*last, *items_[(hole - 1) / 2])) {
      sift_up(hole, std::move(last));
    } else {
      sift_down(hole, std::move(last));
    }
    return removed;
  }

 private:
  void put(std::size_t at, Ptr entry) noexcept {
    entry->place.*Position = at;
    items_[at] = std::move(entry);
  }

  void sift_up(std::size_t hole, Ptr entry) noexcept {
    while (hole > 0) {
      const std::size_t parent = (hole - 1) / 2;
      if (!Before{}(*entry, *items_[parent])) break;
      put(hole, std::move(items_[parent]));
      hole = parent;
    }
    put(hole, std::move(entry));
  }

  void sift_down(std::size_t hole, Ptr entry) noexcept {
    for (;;) {
      std::size_t child = 2 * hole + 1;
      if (child >= items_.size()) break;
      if (child + 1 < items_.size() && Before{}(*items_[child + 1], *items_[child])) ++child;
      if (!Before{}(*items_[child], *entry)) break;
      put(hole, std::move(items_[child]));
      hole = child;
    }
    put(hole, std::move(entry));
  }

  std::vector<Ptr> items_;
};

} // namespace swapmq::memory
