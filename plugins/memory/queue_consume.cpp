// SPDX-License-Identifier: MIT
//
// The queue towards its consumers: handing out, waiting, settling.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <utility>

#include "queue.hpp"

namespace swapmq::memory {
namespace {

/// Due times are of the wall clock, which may be set while we sleep: look again this often.
constexpr int64_t kClockCheckMs = 500;

Parker::Clock::time_point when_due(int64_t due_at_ms) {
  using std::chrono::nanoseconds;
  constexpr int64_t kNsPerMs = 1'000'000;
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  const int64_t now_ns = std::chrono::duration_cast<nanoseconds>(wall).count();
  const int64_t left_ms = std::clamp<int64_t>(due_at_ms - now_ns / kNsPerMs, 0, kClockCheckMs);
  return Parker::Clock::now() + nanoseconds(left_ms * kNsPerMs - now_ns % kNsPerMs);
}

uint64_t next_subscription() {
  static std::atomic<uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

} // namespace

Consumer::Consumer(uint32_t prefetch_limit) : prefetch(prefetch_limit), held(next_subscription()) {}

void MemoryBatch::reserve(std::size_t count) {
  Batch::reserve(count);
  entries_.reserve(count);
}

void MemoryBatch::add(const EntryPtr& entry, const Receipt& receipt, uint32_t count,
                      uint32_t flags) {
  Batch::add(&entry->message(), receipt.view(), count, flags);
  entries_.push_back(entry);
}

backend::Received Queue::exchange(Consumer& consumer, const backend::ExchangeArgs& args,
                                  const std::shared_ptr<Parker>& parker, Aftermath& aftermath) {
  const backend::Lock lock(mutex_);
  const int64_t now_ms = backend::unix_now_ms();
  reconcile(consumer, aftermath);
  advance(now_ms, aftermath);
  settle_all(consumer, args.settlements, args.settlement_results, now_ms, aftermath);
  backend::Received received;
  if (args.max_messages > 0) {
    Waiter waiter;
    waiter.parker = parker;
    try {
      received = receive(consumer, args, waiter, aftermath);
    } catch (...) { // out of memory; what was settled or called for goes to somebody else
      waiters_.leave(waiter);
      call_waiters(aftermath);
      throw;
    }
    waiters_.leave(waiter);
  }
  call_waiters(aftermath);
  return received;
}

backend::Received Queue::receive(Consumer& consumer, const backend::ExchangeArgs& args,
                                 Waiter& waiter, Aftermath& aftermath) {
  bool interrupted = waiter.parker->take_interrupt();
  for (;;) {
    waiter.holding = consumer.holding();
    const std::size_t room = consumer.room();
    waiter.want = std::min(args.max_messages, room);
    if (auto batch = take(consumer, waiter.want, args.max_bytes)) {
      return {std::move(batch), false};
    }
    if (interrupted) return {nullptr, true};
    if (args.deadline.passed()) return {};
    sleep(waiter, args.deadline, aftermath);
    interrupted = waiter.parker->take_interrupt();
    reconcile(consumer, aftermath);
    advance(backend::unix_now_ms(), aftermath);
  }
}

void Queue::sleep(Waiter& waiter, backend::Deadline deadline, Aftermath& aftermath) {
  Parker::Clock::time_point until = deadline.at();
  if (waiter.want == 0) { // at its prefetch: only the deadline or an interrupt ends this
    waiter.parker->prepare();
  } else if (const auto due_at_ms = waiters_.enter(waiter, next_due())) {
    until = std::min(until, when_due(*due_at_ms));
  }
  call_waiters(aftermath); // what this one left or may not take
  mutex_.unlock();
  aftermath.run();
  waiter.parker->park(until);
  mutex_.lock();
  waiters_.awake(waiter);
}

bool Queue::may_take(std::size_t holding) const {
  return !spec_.strict_order || unacked_ - claimed_ == holding;
}

std::unique_ptr<MemoryBatch> Queue::take(Consumer& consumer, std::size_t want, uint64_t max_bytes) {
  const std::size_t count = std::min(want, contents_.ready.size());
  if (count == 0 || !may_take(consumer.holding())) return nullptr;
  auto batch = std::make_unique<MemoryBatch>();
  batch->reserve(count);
  consumer.held.ensure(count);
  ensure_room(contents_, count);
  uint64_t bytes = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (max_bytes != 0) {
      bytes += contents_.ready.front().message().body.size;
      if (i > 0 && bytes > max_bytes) break;
    }
    hand_out(consumer, *batch);
  }
  return batch;
}

void Queue::hand_out(Consumer& consumer, MemoryBatch& batch) noexcept {
  EntryPtr entry = contents_.ready.pop_front();
  if (entry->has_ttl()) contents_.expiring.remove(*entry);
  entry->place.claimed = false;
  const bool before = std::exchange(entry->place.handed_out, true) || entry->moved_here();
  const Receipt receipt = now_unacked(consumer, entry);
  batch.add(entry, receipt, entry->next_delivery_count(), before ? SWAPMQ_DELIVERY_REDELIVERED : 0);
}

Receipt Queue::now_unacked(Consumer& consumer, const EntryPtr& entry) noexcept {
  entry->place.where = Entry::Where::kUnacked;
  ++unacked_;
  unacked_bytes_ += entry->weight();
  if (entry->place.claimed) {
    ++claimed_;
    ++consumer.claimed;
  }
  return consumer.held.add(entry);
}

void Queue::no_longer_unacked(Consumer& consumer, const Entry& entry) noexcept {
  --unacked_;
  unacked_bytes_ -= entry.weight();
  if (!entry.place.claimed) return;
  --claimed_;
  --consumer.claimed;
}

void Queue::reconcile(Consumer& consumer, Aftermath& aftermath) {
  if (consumer.incarnation == incarnation_) return;
  while (EntryPtr entry = consumer.held.take_any()) aftermath.discard(std::move(entry));
  consumer.claimed = 0;
  consumer.incarnation = incarnation_;
}

void Queue::settle_all(Consumer& consumer, backend::Settlements settlements, swapmq_status* results,
                       int64_t now_ms, Aftermath& aftermath) {
  for (std::size_t i = 0; i < settlements.size(); ++i) {
    if (settlements[i].action == SWAPMQ_SETTLE_DEAD_LETTER) continue;
    results[i] = settle_one(consumer, settlements[i], now_ms, aftermath);
  }
}

swapmq_status Queue::settle_one(Consumer& consumer, const swapmq_settlement& settlement,
                                int64_t now_ms, Aftermath& aftermath) noexcept {
  const auto receipt = Receipt::read(settlement.delivery->receipt);
  if (!receipt || consumer.held.find(*receipt) == nullptr) return SWAPMQ_LOST;
  EntryPtr entry = consumer.held.take(*receipt);
  no_longer_unacked(consumer, *entry);
  switch (settlement.action) {
    case SWAPMQ_SETTLE_ACK:
      drop(std::move(entry), aftermath);
      break;
    case SWAPMQ_SETTLE_NACK:
      ++entry->place.counted_returns;
      put_back(std::move(entry), settlement.due_at_ms, now_ms, aftermath);
      break;
    default: // release; the glue lets no other through
      release(std::move(entry), now_ms, aftermath);
      break;
  }
  return SWAPMQ_OK;
}

void Queue::release(EntryPtr entry, int64_t now_ms, Aftermath& aftermath) noexcept {
  const int64_t due_at_ms = entry->place.claimed ? entry->place.due_at_ms : 0;
  put_back(std::move(entry), due_at_ms, now_ms, aftermath);
}

void Queue::give_back(Consumer& consumer, int64_t now_ms, Aftermath& aftermath) {
  const backend::Lock lock(mutex_);
  reconcile(consumer, aftermath);
  while (EntryPtr entry = consumer.held.take_any()) {
    no_longer_unacked(consumer, *entry);
    release(std::move(entry), now_ms, aftermath);
  }
  call_waiters(aftermath);
}

} // namespace swapmq::memory
