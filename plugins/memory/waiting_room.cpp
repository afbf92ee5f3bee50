// SPDX-License-Identifier: MIT
#include "waiting_room.hpp"

namespace swapmq::memory {

std::optional<int64_t> WaitingRoom::enter(Waiter& waiter, std::optional<int64_t> next_due_ms) {
  waiter.parker->prepare();
  if (!waiter.in_line) link(waiter);
  if (!next_due_ms || (timekeeper_ != nullptr && wakes_at_ms_ <= *next_due_ms)) return {};
  timekeeper_ = &waiter;
  wakes_at_ms_ = *next_due_ms;
  return next_due_ms;
}

void WaitingRoom::awake(Waiter& waiter) {
  if (timekeeper_ == &waiter) timekeeper_ = nullptr;
  if (!waiter.called) return;
  waiter.called = false;
  waiter.came_in_vain = true; // unless it leaves
  --called_;
  promised_ -= waiter.want;
}

void WaitingRoom::leave(Waiter& waiter) {
  if (waiter.in_line) unlink(waiter);
}

void WaitingRoom::keep_time(std::optional<int64_t> next_due_ms, Aftermath& aftermath) {
  if (!next_due_ms || first_ == nullptr) return;
  if (timekeeper_ != nullptr && wakes_at_ms_ <= *next_due_ms) return;
  if (called_ > 0) return; // that one looks at the time itself, or makes the queue look again
  call(*first_, aftermath);
}

void WaitingRoom::call_all(Aftermath& aftermath) {
  while (first_ != nullptr) call(*first_, aftermath);
}

void WaitingRoom::call(Waiter& waiter, Aftermath& aftermath) {
  unlink(waiter);
  waiter.called = true;
  ++called_;
  promised_ += waiter.want;
  aftermath.wake(waiter.parker);
}

void WaitingRoom::link(Waiter& waiter) {
  waiter.in_line = true;
  if (waiter.came_in_vain) {
    waiter.before = nullptr;
    waiter.behind = first_;
    (first_ == nullptr ? last_ : first_->before) = &waiter;
    first_ = &waiter;
  } else {
    waiter.before = last_;
    waiter.behind = nullptr;
    (last_ == nullptr ? first_ : last_->behind) = &waiter;
    last_ = &waiter;
  }
}

void WaitingRoom::unlink(Waiter& waiter) {
  waiter.in_line = false;
  (waiter.before == nullptr ? first_ : waiter.before->behind) = waiter.behind;
  (waiter.behind == nullptr ? last_ : waiter.behind->before) = waiter.before;
}

} // namespace swapmq::memory
