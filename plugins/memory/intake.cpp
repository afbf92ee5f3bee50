// SPDX-License-Identifier: MIT
#include "intake.hpp"

#include <limits>
#include <new>

namespace swapmq::memory {
namespace {

constexpr std::size_t kKeptRoom = 4096; // messages

} // namespace

std::span<EntryPtr> Intake::prepare(backend::Messages messages, backend::PublishResults results,
                                    Store& store, Grant& grant, int64_t now_ms,
                                    Aftermath& aftermath) {
  entries_.clear();
  entries_.resize(messages.size());
  const uint64_t total = weigh(messages, results, store.budget());
  bool granted = grant.add(total);
  if (!granted) { // expired messages of quiet queues may still sit on bytes
    store.sweep(now_ms, aftermath);
    aftermath.run();
    granted = grant.add(total);
  }
  std::size_t next = 0;
  try {
    for (; next < messages.size(); ++next) {
      if (weights_[next] == 0) continue;
      if (!granted && !grant.add(weights_[next])) break;
      entries_[next] = Entry::make(messages[next]);
    }
  } catch (const std::bad_alloc&) { // full in another sense; the rest fails alike
  }
  for (; next < messages.size(); ++next) {
    if (weights_[next] == 0) continue;
    results[next] = backend::failed(SWAPMQ_RESOURCE_EXHAUSTED, SWAPMQ_ERROR_RETRYABLE);
  }
  return entries_;
}

uint64_t Intake::weigh(backend::Messages messages, backend::PublishResults results,
                       const Budget& budget) {
  const uint64_t max_body = max_body_bytes(budget.limit());
  uint64_t total = 0;
  weights_.assign(messages.size(), 0);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const uint64_t weight = Entry::weight_of(messages[i]);
    if (messages[i].body.size > max_body || weight > budget.limit()) {
      results[i] = backend::failed(SWAPMQ_TOO_LARGE);
      continue;
    }
    weights_[i] = weight;
    // What does not fit into 64 bits does not fit into any store either.
    if (__builtin_add_overflow(total, weight, &total)) total = std::numeric_limits<uint64_t>::max();
  }
  return total;
}

void Intake::clear() {
  entries_.clear();
  weights_.clear();
  if (entries_.capacity() <= kKeptRoom) return;
  entries_.shrink_to_fit();
  weights_.shrink_to_fit();
}

} // namespace swapmq::memory
