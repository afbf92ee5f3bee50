// SPDX-License-Identifier: MIT
//
// Handing out what waits for its time, to be moved elsewhere. A claimed entry keeps its due time,
// so that it waits for it again when it is given back; strict order has nothing to do with it.
#include <algorithm>
#include <utility>

#include "queue.hpp"

namespace swapmq::memory {

void MemoryBatch::reserve_claimed(std::size_t count) {
  reserve(count);
  claimed_.reserve(count);
}

void MemoryBatch::add_claimed(const EntryPtr& entry, const Receipt& receipt, uint32_t count,
                              uint32_t flags) {
  swapmq_message& shown = claimed_.emplace_back(entry->message());
  shown.due_at_ms = entry->place.due_at_ms; // a nack may have set another
  Batch::add(&shown, receipt.view(), count, flags);
  entries_.push_back(entry);
}

std::unique_ptr<backend::Batch> Queue::claim_delayed(Consumer& consumer,
                                                     const backend::ClaimArgs& args,
                                                     Aftermath& aftermath) {
  const backend::Lock lock(mutex_);
  reconcile(consumer, aftermath);
  advance(backend::unix_now_ms(), aftermath);
  call_waiters(aftermath); // before anything may throw
  return take_delayed(consumer, std::min(args.max_messages, consumer.room()), args.max_bytes);
}

std::unique_ptr<MemoryBatch> Queue::take_delayed(Consumer& consumer, std::size_t want,
                                                 uint64_t max_bytes) {
  const std::size_t count = std::min(want, contents_.delayed.size());
  if (count == 0) return nullptr;
  auto batch = std::make_unique<MemoryBatch>();
  batch->reserve_claimed(count);
  consumer.held.ensure(count);
  ensure_room(contents_, 0);
  uint64_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (max_bytes != 0) {
      bytes += contents_.delayed.top().message().body.size;
      if (i > 0 && bytes > max_bytes) break;
    }
    hand_out_claimed(consumer, *batch);
  }
  return batch;
}

void Queue::hand_out_claimed(Consumer& consumer, MemoryBatch& batch) noexcept {
  EntryPtr entry = contents_.delayed.pop();
  if (entry->has_ttl()) contents_.expiring.remove(*entry);
  entry->place.claimed = true;
  const bool before = entry->place.handed_out || entry->moved_here();
  const Receipt receipt = now_unacked(consumer, entry);
  batch.add_claimed(entry, receipt, entry->next_delivery_count(),
                    before ? SWAPMQ_DELIVERY_REDELIVERED : 0);
}

} // namespace swapmq::memory
