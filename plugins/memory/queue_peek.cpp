// SPDX-License-Identifier: MIT
//
// Showing what is ready. The line is not made to be walked through: what is looked at is taken out
// of it and put back to its place, all under the lock, so that nobody sees it missing.
#include <algorithm>
#include <utility>
#include <vector>

#include "queue.hpp"

namespace swapmq::memory {

std::unique_ptr<backend::Batch> Queue::peek(const backend::PeekArgs& args, Aftermath& aftermath) {
  const backend::Lock lock(mutex_);
  advance(backend::unix_now_ms(), aftermath);
  call_waiters(aftermath); // before anything may throw
  const std::size_t count = std::min(args.max_messages, contents_.ready.size());
  if (count == 0) return nullptr;
  auto batch = std::make_unique<MemoryBatch>();
  batch->reserve(count);
  std::vector<EntryPtr> shown;
  shown.reserve(count);
  ensure_room(contents_, count); // nothing may throw while some of them are in our hands alone
  uint64_t bytes = 0;
  while (shown.size() < count) {
    bytes += contents_.ready.front().message().body.size;
    if (args.max_bytes != 0 && !shown.empty() && bytes > args.max_bytes) break;
    const EntryPtr& entry = shown.emplace_back(contents_.ready.pop_front());
    const bool before = entry->place.handed_out || entry->moved_here();
    batch->add(entry, Receipt{}, entry->next_delivery_count(),
               before ? SWAPMQ_DELIVERY_REDELIVERED : 0);
  }
  for (EntryPtr& entry : shown) contents_.ready.put_back(std::move(entry));
  return batch;
}

} // namespace swapmq::memory
