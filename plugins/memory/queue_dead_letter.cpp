// SPDX-License-Identifier: MIT
//
// The move of a message to its dead-letter queue: out of one and into the other in one step, so
// that nobody ever sees it in both or in neither.
#include <utility>

#include "mutex_pair_lock.hpp"
#include "queue.hpp"

namespace swapmq::memory {
namespace {

/// It waits for a person to look at it: neither its ttl nor its delay may hide it, and its
/// deliveries are counted anew. Its times of publication stay.
swapmq_message letter_of(const swapmq_message& message) {
  swapmq_message letter = message;
  letter.due_at_ms = 0;
  letter.expires_at_ms = 0;
  letter.delivery_count = 0;
  return letter;
}

} // namespace

swapmq_status Queue::dead_letter(Consumer& consumer, const swapmq_settlement& settlement,
                                 Queue& target, const QueueSpec& target_spec, int64_t now_ms,
                                 Aftermath& aftermath) {
  const auto receipt = Receipt::read(settlement.delivery->receipt);
  const Entry* held = receipt ? consumer.held.find(*receipt) : nullptr;
  if (held == nullptr) return SWAPMQ_LOST;
  const backend::Headers added = backend::headers_of(settlement);

  const swapmq_message letter = letter_of(held->message());
  const uint64_t weight = Entry::weight_of(letter, added);
  // The old copy goes in the same step, so only what the new one has more needs bytes.
  const uint64_t more = weight > held->weight() ? weight - held->weight() : 0;
  Grant grant(budget_);
  if (!grant.add(more)) return SWAPMQ_RESOURCE_EXHAUSTED;
  EntryPtr copy = Entry::make(letter, added);

  swapmq_status status = SWAPMQ_OK;
  if (&target == this) {
    const backend::Lock lock(mutex_);
    status = replace(consumer, *receipt, std::move(copy), now_ms, aftermath);
  } else {
    const MutexPairLock lock(mutex_, target.mutex_);
    status = move_to(target, target_spec, consumer, *receipt, std::move(copy), now_ms, aftermath);
  }
  if (status == SWAPMQ_OK) grant.spend(more);
  return status;
}

swapmq_status Queue::move_to(Queue& target, const QueueSpec& target_spec, Consumer& consumer,
                             const Receipt& receipt, EntryPtr&& letter, int64_t now_ms,
                             Aftermath& aftermath) {
  reconcile(consumer, aftermath);
  if (consumer.held.find(receipt) == nullptr) return SWAPMQ_LOST; // deleted meanwhile
  target.make(target_spec);
  target.advance(now_ms, aftermath);
  if (target.full()) return SWAPMQ_RESOURCE_EXHAUSTED;
  const uint64_t weight = letter->weight();
  target.admit(std::move(letter), now_ms); // may throw; nothing has changed until here
  take_out(consumer, receipt, weight, aftermath);
  target.call_waiters(aftermath);
  call_waiters(aftermath);
  return SWAPMQ_OK;
}

swapmq_status Queue::replace(Consumer& consumer, const Receipt& receipt, EntryPtr&& letter,
                             int64_t now_ms, Aftermath& aftermath) {
  reconcile(consumer, aftermath);
  if (consumer.held.find(receipt) == nullptr) return SWAPMQ_LOST;
  const uint64_t weight = letter->weight();
  admit(std::move(letter), now_ms);
  take_out(consumer, receipt, weight, aftermath);
  call_waiters(aftermath);
  return SWAPMQ_OK;
}

void Queue::take_out(Consumer& consumer, const Receipt& receipt, uint64_t letter_weight,
                     Aftermath& aftermath) noexcept {
  EntryPtr entry = consumer.held.take(receipt);
  no_longer_unacked(consumer, *entry);
  strike_out(*entry);
  if (entry->weight() > letter_weight) aftermath.give_back(entry->weight() - letter_weight);
  aftermath.discard(std::move(entry));
}

} // namespace swapmq::memory
