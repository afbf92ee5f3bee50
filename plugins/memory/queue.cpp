// SPDX-License-Identifier: MIT
//
// The queue as a store: making, filling, measuring, emptying.
#include "queue.hpp"

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

namespace swapmq::memory {

Queue::Queue(std::string name, uint64_t max_messages, Budget& budget)
    : name_(std::move(name)), max_messages_(max_messages), budget_(budget) {}

bool Queue::exists() {
  const backend::Lock lock(mutex_);
  return exists_;
}

void Queue::create(const QueueSpec& spec) {
  const backend::Lock lock(mutex_);
  if (exists_ && spec.max_length != 0 && spec_.max_length != 0 &&
      spec.max_length != spec_.max_length) {
    throw backend::Failure(SWAPMQ_CONFLICT, "queue \"" + name_ + "\" exists with max_length " +
                                                std::to_string(spec_.max_length) + ", not " +
                                                std::to_string(spec.max_length) +
                                                "; delete it first, or agree");
  }
  make(spec);
  // Whoever used the queue first may have had no opinion; the one who has one gets it.
  if (spec_.max_length == 0) spec_.max_length = spec.max_length;
  spec_.strict_order = spec_.strict_order || spec.strict_order;
}

void Queue::ensure_exists(const QueueSpec& spec) {
  const backend::Lock lock(mutex_);
  make(spec);
}

void Queue::make(const QueueSpec& spec) {
  if (exists_) return;
  exists_ = true;
  spec_ = spec;
}

void Queue::remove(Aftermath& aftermath) {
  Contents removed; // freed after the lock
  const backend::Lock lock(mutex_);
  if (!exists_) return;
  std::swap(contents_, removed);
  aftermath.give_back(bytes_);
  exists_ = false;
  spec_ = {};
  ++incarnation_;
  unacked_ = 0;
  claimed_ = 0;
  with_ttl_ = 0;
  bytes_ = 0;
  unacked_bytes_ = 0;
  waiters_.call_all(aftermath); // what they hold is gone, so they see the queue anew
}

QueueSizes Queue::sizes(int64_t now_ms, Aftermath& aftermath) {
  const backend::Lock lock(mutex_);
  advance(now_ms, aftermath);
  call_waiters(aftermath);
  return {exists_, contents_.ready.size(), unacked_, contents_.delayed.size()};
}

uint64_t Queue::purge(int64_t now_ms, Aftermath& aftermath) {
  Contents purged; // freed after the lock
  const backend::Lock lock(mutex_);
  advance(now_ms, aftermath);
  const std::size_t ttl_left = with_ttl_ - contents_.expiring.size();
  ensure_room(purged, 0); // it takes the place of the other, so it must take back what is unacked
  purged.expiring.ensure(ttl_left);
  std::swap(contents_, purged);
  aftermath.give_back(bytes_ - unacked_bytes_);
  bytes_ = unacked_bytes_;
  with_ttl_ = ttl_left;
  return purged.ready.size() + purged.delayed.size();
}

void Queue::sweep(int64_t now_ms, Aftermath& aftermath) {
  const backend::Lock lock(mutex_);
  advance(now_ms, aftermath);
  call_waiters(aftermath);
}

void Queue::publish(const QueueSpec& spec, std::span<EntryPtr> entries,
                    backend::PublishResults results, Grant& grant, int64_t now_ms,
                    Aftermath& aftermath) {
  const backend::Lock lock(mutex_);
  make(spec);
  advance(now_ms, aftermath);
  std::size_t next = 0;
  try {
    for (; next < entries.size(); ++next) {
      if (!entries[next]) continue;
      if (entries[next]->expired(now_ms)) { // stored and gone at once
        aftermath.count_expired();
      } else if (full()) {
        break;
      } else {
        const uint64_t weight = entries[next]->weight();
        admit(std::move(entries[next]), now_ms);
        grant.spend(weight);
      }
      results[next] = backend::confirmed();
    }
  } catch (const std::bad_alloc&) { // full in another sense; the rest fails alike
  }
  for (; next < entries.size(); ++next) {
    if (!entries[next]) continue;
    results[next] = backend::failed(SWAPMQ_RESOURCE_EXHAUSTED, SWAPMQ_ERROR_RETRYABLE);
  }
  call_waiters(aftermath);
}

bool Queue::full() const {
  uint64_t limit = max_messages_;
  if (spec_.max_length != 0) limit = std::min(limit, spec_.max_length);
  return contents_.ready.size() + contents_.delayed.size() + unacked_ >= limit;
}

std::optional<int64_t> Queue::next_due() const {
  if (contents_.delayed.empty()) return {};
  return contents_.delayed.top().place.due_at_ms;
}

void Queue::ensure_room(Contents& contents, std::size_t more) const {
  const std::size_t may_return = contents.delayed.size() + unacked_ + more;
  contents.ready.ensure_returns(may_return);
  contents.delayed.ensure(may_return);
}

void Queue::advance(int64_t now_ms, Aftermath& aftermath) {
  auto& [ready, delayed, expiring] = contents_;
  while (!expiring.empty() && expiring.top().expired(now_ms)) {
    Entry& entry = *expiring.pop();
    aftermath.count_expired();
    drop(entry.place.where == Entry::Where::kDelayed ? delayed.remove(entry) : ready.remove(entry),
         aftermath);
  }
  while (!delayed.empty() && delayed.top().place.due_at_ms <= now_ms) {
    ready.put_back(delayed.pop());
  }
}

void Queue::call_waiters(Aftermath& aftermath) {
  const bool strict = spec_.strict_order;
  const std::size_t unacked = unacked_ - claimed_;
  waiters_.call_for(
      contents_.ready.size(),
      [=](const Waiter& waiter) { return !strict || unacked == waiter.holding; }, aftermath);
  waiters_.keep_time(next_due(), aftermath);
}

void Queue::admit(EntryPtr&& entry, int64_t now_ms) {
  Entry& added = *entry;
  if (added.has_ttl()) contents_.expiring.ensure(with_ttl_ + 1);
  added.place.sequence = next_sequence_++;
  added.place.due_at_ms = added.message().due_at_ms;
  if (added.place.due_at_ms > now_ms) {
    ensure_room(contents_, 1);
    added.place.where = Entry::Where::kDelayed;
    contents_.delayed.push(std::move(entry));
  } else {
    contents_.ready.push_new(std::move(entry));
  }
  bytes_ += added.weight();
  if (!added.has_ttl()) return;
  ++with_ttl_;
  contents_.expiring.push(&added);
}

void Queue::put_back(EntryPtr entry, int64_t due_at_ms, int64_t now_ms,
                     Aftermath& aftermath) noexcept {
  if (entry->expired(now_ms)) {
    aftermath.count_expired();
    drop(std::move(entry), aftermath);
    return;
  }
  if (entry->has_ttl()) contents_.expiring.push(entry.get());
  if (due_at_ms <= now_ms) {
    contents_.ready.put_back(std::move(entry));
    return;
  }
  entry->place.due_at_ms = due_at_ms;
  entry->place.where = Entry::Where::kDelayed;
  contents_.delayed.push(std::move(entry));
}

void Queue::strike_out(const Entry& entry) noexcept {
  bytes_ -= entry.weight();
  if (entry.has_ttl()) --with_ttl_;
}

void Queue::drop(EntryPtr entry, Aftermath& aftermath) noexcept {
  strike_out(*entry);
  aftermath.give_back(entry->weight());
  aftermath.discard(std::move(entry));
}

} // namespace swapmq::memory
