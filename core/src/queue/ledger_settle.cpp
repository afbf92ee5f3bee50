// SPDX-License-Identifier: MIT
//
// What handles of deliveries ask of the ledger: to settle, and to be told what became of it.
#include <algorithm>
#include <utility>

#include "queue/clock.h"
#include "queue/ledger.h"

namespace swapmq::queue {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Stage = DeliveryState::Stage;

namespace {

constexpr std::size_t max_reason = 1024; // bytes: a header has little room

Error nobody_settled() { return {Errc::invalid_argument, "nobody has settled this delivery yet"}; }

/// As much of it as is kept, in whole characters where it is UTF-8.
std::string beginning_of(std::string_view reason) {
  std::size_t length = std::min(reason.size(), max_reason);
  const auto continues = [&] {
    return (static_cast<unsigned char>(reason[length]) & 0xC0) == 0x80;
  };
  while (length > 0 && length < reason.size() && continues()) --length;
  return std::string(reason.substr(0, length));
}

} // namespace

Error Ledger::not_ours() {
  return {Errc::lost, "the delivery is no longer ours; the message may be delivered again"};
}

Settling Ledger::settle(DeliveryState& delivery, std::int32_t action,
                        std::optional<milliseconds> delay, std::string_view reason, Deadline now) {
  std::int64_t due_at_ms = 0;
  // A dead letter has a time as well: where there is no queue to move it to, it becomes a nack.
  if (action == SWAPMQ_SETTLE_NACK || action == SWAPMQ_SETTLE_DEAD_LETTER) {
    const milliseconds pause = bounded(delay.value_or(retry_delay_.load()));
    if (pause.count() > 0) due_at_ms = unix_now_ms() + pause.count();
  }
  const Lock lock(mutex_);
  if (delivery.stage == Stage::lost || delivery.timed_out) return Settling::lost;
  if (delivery.stage != Stage::open) return Settling::already;
  unlist(delivery);
  decide(delivery, action, due_at_ms, reason, now);
  wake_lane();
  return Settling::accepted;
}

Settling Ledger::extend(DeliveryState& delivery) {
  const Lock lock(mutex_);
  if (delivery.stage == Stage::lost || delivery.timed_out) return Settling::lost;
  if (delivery.stage != Stage::open) return Settling::already;
  if (delivery.listed) {
    unlist(delivery);
    list(delivery, steady_clock::now()); // at the newest end
  }
  return Settling::accepted;
}

Error Ledger::wait_settled(DeliveryState& delivery, Deadline deadline) {
  const Lock lock(mutex_);
  if (delivery.stage == Stage::open) return nobody_settled();
  ++settle_waiters_;
  if (!told_.empty()) to_lane_.notify_one();
  while (delivery.stage == Stage::settling && !delivery.timed_out &&
         steady_clock::now() < deadline) {
    to_waiters_.wait_until(mutex_, deadline);
  }
  --settle_waiters_;
  if (delivery.stage == Stage::settling && !delivery.timed_out) {
    return {Errc::timeout, "the broker has not confirmed the settlement yet", true};
  }
  return word_on(delivery);
}

Error Ledger::word_on(const DeliveryState& delivery) {
  // What was settled is not what the holder decided.
  return delivery.timed_out ? not_ours() : delivery.verdict;
}

void Ledger::when_settled(DeliveryState& delivery, Told told) {
  Error known;
  {
    const Lock lock(mutex_);
    if (delivery.stage == Stage::settling && !delivery.timed_out) {
      listeners_.emplace(&delivery, std::move(told));
      ++settle_waiters_;
      if (!told_.empty()) to_lane_.notify_one();
      return;
    }
    known = delivery.stage == Stage::open ? nobody_settled() : word_on(delivery);
  }
  told(std::move(known));
}

Ledger::Telling Ledger::to_tell() {
  settle_waiters_ -= to_tell_.size();
  return std::exchange(to_tell_, {});
}

void Ledger::tell(const Telling& all) {
  for (const auto& [told, word] : all) told(word);
}

void Ledger::abandoned(DeliveryState& delivery) {
  if (delivery.stage.load(std::memory_order_relaxed) != Stage::open) return; // it never reopens
  const Lock lock(mutex_);
  if (delivery.stage != Stage::open || !delivery.listed) return;
  unlist(delivery);
  decide(delivery, SWAPMQ_SETTLE_RELEASE, 0, {}, steady_clock::now());
  wake_lane();
}

void Ledger::unlist(DeliveryState& delivery) {
  if (!delivery.listed) return;
  delivery.listed = false;
  (delivery.previous != nullptr ? delivery.previous->next : oldest_) = delivery.next;
  (delivery.next != nullptr ? delivery.next->previous : newest_) = delivery.previous;
  --listed_;
}

void Ledger::decide(DeliveryState& delivery, std::int32_t action, std::int64_t due_at_ms,
                    std::string_view reason, Deadline now) {
  delivery.stage.store(Stage::settling, std::memory_order_relaxed);
  pending_.push_back({&delivery, action, due_at_ms, beginning_of(reason), now, Deadline{}});
}

void Ledger::wake_lane() {
  if (in_exchange_ == nullptr) return to_lane_.notify_one();
  if (interrupted_) return;
  interrupted_ = true;
  in_exchange_->interrupt();
}

} // namespace swapmq::queue
