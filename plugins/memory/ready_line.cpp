// SPDX-License-Identifier: MIT
#include "ready_line.hpp"

#include <bit>
#include <utility>

namespace swapmq::memory {
namespace {

// Nulls are worth the walk to close them only when they are many, and then each was paid for.
constexpr std::size_t kToleratedGaps = 1024;

} // namespace

void ReadyLine::push_new(EntryPtr&& entry) {
  const uint32_t priority = entry->message().priority;
  auto& level = levels_[priority];
  if (level == nullptr) level = std::make_unique<Level>();
  Entry& added = *entry;
  level->items.push_back(std::move(entry));
  added.place.where = Entry::Where::kFresh;
  added.place.position = level->base + level->items.size() - 1;
  ++level->live;
  ++fresh_;
  filled_ |= 1U << priority;
}

void ReadyLine::put_back(EntryPtr entry) noexcept {
  entry->place.where = Entry::Where::kReturned;
  returned_.push(std::move(entry));
}

ReadyLine::Level* ReadyLine::front_level() noexcept {
  if (filled_ == 0) return nullptr;
  Level& level = *levels_[static_cast<std::size_t>(std::bit_width(filled_) - 1)];
  while (!level.items.front()) { // it has a live one, so this ends
    level.items.pop_front();
    ++level.base;
  }
  if (!returned_.empty() && Before{}(returned_.top(), *level.items.front())) return nullptr;
  return &level;
}

Entry& ReadyLine::front() noexcept {
  Level* level = front_level();
  return level == nullptr ? returned_.top() : *level->items.front();
}

EntryPtr ReadyLine::pop_front() noexcept {
  Level* level = front_level();
  if (level == nullptr) return returned_.pop();
  EntryPtr popped = std::move(level->items.front());
  level->items.pop_front();
  ++level->base;
  const uint32_t priority = popped->message().priority;
  --fresh_;
  if (--level->live == 0) filled_ &= ~(1U << priority);
  return popped;
}

EntryPtr ReadyLine::remove(Entry& entry) noexcept {
  if (entry.place.where == Entry::Where::kReturned) return returned_.remove(entry);
  const uint32_t priority = entry.message().priority;
  Level& level = *levels_[priority];
  EntryPtr removed = std::move(level.items[entry.place.position - level.base]);
  --fresh_;
  if (--level.live == 0) filled_ &= ~(1U << priority);
  close_gaps(level);
  return removed;
}

void ReadyLine::close_gaps(Level& level) noexcept {
  if (level.items.size() <= 2 * level.live + kToleratedGaps) return;
  std::size_t kept = 0;
  for (EntryPtr& item : level.items) {
    if (!item) continue;
    item->place.position = level.base + kept;
    EntryPtr& slot = level.items[kept++];
    if (&slot != &item) slot = std::move(item);
  }
  level.items.erase(level.items.begin() + static_cast<std::ptrdiff_t>(kept), level.items.end());
}

} // namespace swapmq::memory
