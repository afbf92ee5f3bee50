// SPDX-License-Identifier: MIT
#include "queue/ledger.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "queue/clock.h"

namespace swapmq::queue {

using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Stage = DeliveryState::Stage;

namespace {

constexpr milliseconds longest_rest{500};
// Settlements wait this long for company before an exchange is made for them alone, while handlers
// still have deliveries to work on.
constexpr milliseconds gathering{2};
constexpr milliseconds inline_flush{10};
constexpr std::size_t max_settlements_per_exchange = 1024;

} // namespace

DeliveryBatch::DeliveryBatch(std::shared_ptr<Ledger> ledger, plugin::BatchPtr batch)
    : references_(static_cast<std::uint32_t>(batch->count)),
      ledger_(std::move(ledger)),
      batch_(std::move(batch)),
      size_(static_cast<std::size_t>(batch_->count)),
      states_(std::make_unique<DeliveryState[]>(size_)) {
  for (std::size_t i = 0; i < size_; ++i) {
    states_[i].delivery = &plugin::delivery_at(*batch_, i);
    states_[i].batch = this;
  }
}

Ledger::Ledger(std::string queue, const ConsumeOptions& options, milliseconds retry_delay,
               std::uint32_t max_deliveries, metrics::QueueMetrics& metrics,
               std::shared_ptr<Bell> bell)
    : queue_(std::move(queue)),
      prefetch_(options.prefetch),
      ack_timeout_(bounded(options.ack_timeout)),
      retry_delay_(retry_delay),
      max_deliveries_(max_deliveries),
      metrics_(metrics),
      bell_(std::move(bell)),
      asked_(options.on_demand ? 0 : std::numeric_limits<std::size_t>::max()) {}

// ---- handing out --------------------------------------------------------------------------------

void Ledger::list(DeliveryState& delivery, Deadline now) {
  delivery.handed_out_at = now;
  delivery.listed = true;
  delivery.next = nullptr;
  delivery.previous = newest_;
  (newest_ != nullptr ? newest_->next : oldest_) = &delivery;
  newest_ = &delivery;
  ++listed_;
}

std::optional<Delivery> Ledger::hand_out(Deadline now) {
  if (draining_ || buffer_.empty()) return std::nullopt;
  DeliveryState& delivery = *buffer_.front();
  buffer_.pop_front();
  list(delivery, now);
  return DeliveryState::handle(delivery);
}

std::optional<Delivery> Ledger::take(Deadline now) {
  const Lock lock(mutex_);
  auto taken = hand_out(now);
  if (buffer_.empty()) to_lane_.notify_one(); // it may have been gathering settlements
  return taken;
}

void Ledger::ask(std::size_t count) {
  const Lock lock(mutex_);
  if (count == std::exchange(asked_, count)) return;
  give_back_what_nobody_asked_for();
  wake_lane();
}

/// The newest first, so that the others keep their order.
void Ledger::give_back_what_nobody_asked_for() {
  while (buffer_.size() > asked_) {
    decide(*buffer_.back(), SWAPMQ_SETTLE_RELEASE, 0, {}, steady_clock::now());
    buffer_.pop_back();
  }
}

// ---- the lane -----------------------------------------------------------------------------------

std::vector<Pending> Ledger::due(Deadline now) {
  std::vector<Pending> taken;
  if (pending_.size() <= max_settlements_per_exchange &&
      std::all_of(pending_.begin(), pending_.end(),
                  [&](const Pending& p) { return p.not_before <= now; })) {
    taken.swap(pending_);
    pending_.reserve(taken.size());
    return taken;
  }
  std::vector<Pending> rest;
  for (Pending& pending : pending_) {
    const bool now_due = pending.not_before <= now && taken.size() < max_settlements_per_exchange;
    (now_due ? taken : rest).push_back(std::move(pending));
  }
  pending_ = std::move(rest);
  return taken;
}

Ledger::Next Ledger::wait_for_work() {
  const Lock lock(mutex_);
  const Deadline give_up = steady_clock::now() + longest_rest;
  while (true) {
    if (shut_ || (draining_ && outstanding_ == 0)) return Next::end;
    const Deadline now = steady_clock::now();
    const std::size_t room = credit_after(0);
    const bool starving = buffer_.empty() || draining_;
    const bool worth_it = pending_.size() * 4 >= prefetch_;
    const bool waited = !pending_.empty() && now - pending_.front().decided >= gathering;
    if ((starving || worth_it || waited) && any_due(now)) return Next::exchange;
    if ((starving || settle_waiters_ > 0) && !told_.empty()) return Next::exchange;
    if (room > 0 && (buffer_.empty() || room * 4 >= prefetch_)) return Next::exchange;
    if (now >= give_up) return Next::serve;
    const bool gather = !pending_.empty() && pending_.front().not_before <= now;
    to_lane_.wait_until(mutex_, gather ? std::min(give_up, now + gathering) : give_up);
  }
}

Ledger::Work Ledger::take_work() {
  const Lock lock(mutex_);
  Work work;
  work.settlements = due(steady_clock::now());
  work.settlements.insert(work.settlements.begin(), std::make_move_iterator(told_.begin()),
                          std::make_move_iterator(told_.end()));
  told_.clear();
  work.credit = credit_after(work.settlements.size());
  return work;
}

/// The credit once so many of the outstanding deliveries are settled.
std::size_t Ledger::credit_after(std::size_t settled) const {
  const std::size_t held = outstanding_ - std::min(settled, outstanding_);
  if (draining_ || held >= prefetch_) return 0;
  return std::min(prefetch_ - held, asked_ - std::min(asked_, buffer_.size()));
}

Ledger::Step Ledger::next_step(bool handled, Deadline last_exchange, Deadline now) {
  const Lock lock(mutex_);
  if (handled && !pending_.empty() &&
      (pending_.size() * 2 >= prefetch_ || now - last_exchange >= inline_flush)) {
    return {true};
  }
  return {false, hand_out(now)};
}

bool Ledger::enter_exchange(plugin::Session* session) {
  const Lock lock(mutex_);
  in_exchange_ = session;
  interrupted_ = false;
  return draining_ || shut_ || any_due(steady_clock::now());
}

void Ledger::leave_exchange() {
  const Lock lock(mutex_);
  in_exchange_ = nullptr;
  // A decision made meanwhile woke this exchange. Where that was the keeper's, the lane still
  // rests.
  if (interrupted_) to_lane_.notify_one();
}

std::size_t Ledger::credit(std::size_t settling) {
  const Lock lock(mutex_);
  return credit_after(settling);
}

std::vector<Delivery> Ledger::show(plugin::BatchPtr batch) {
  auto* deliveries = new DeliveryBatch(shared_from_this(), std::move(batch)); // deletes itself
  std::vector<Delivery> shown;
  shown.reserve(deliveries->size());
  for (std::size_t i = 0; i < deliveries->size(); ++i) {
    DeliveryState& state = (*deliveries)[i];
    state.stage = Stage::lost;
    state.verdict = {Errc::lost, "the message was looked at, and not taken"};
    shown.push_back(DeliveryState::handle(state));
  }
  for (std::size_t i = 0; i < shown.size(); ++i) deliveries->drop_reference(); // none outstanding
  return shown;
}

void Ledger::received(plugin::BatchPtr batch) {
  auto* deliveries = new DeliveryBatch(shared_from_this(), std::move(batch)); // deletes itself
  std::uint64_t again = 0;
  for (std::size_t i = 0; i < deliveries->size(); ++i) {
    const swapmq_delivery& delivery = *(*deliveries)[i].delivery;
    again += delivery.delivery_count > 1 || (delivery.flags & SWAPMQ_DELIVERY_REDELIVERED) != 0;
  }
  metrics_.delivered.add(deliveries->size());
  if (again > 0) metrics_.redelivered.add(again);

  const Deadline now = steady_clock::now();
  {
    const Lock lock(mutex_);
    outstanding_ += deliveries->size();
    for (std::size_t i = 0; i < deliveries->size(); ++i) {
      DeliveryState& state = (*deliveries)[i];
      if ((state.delivery->flags & SWAPMQ_DELIVERY_UNDECODABLE) != 0) {
        // No handler could make anything of it. The time is for a dead-letter queue itself, out of
        // which there is no further way.
        decide(state, SWAPMQ_SETTLE_DEAD_LETTER, unix_now_ms() + retry_delay_.load().count(),
               "undecodable", now);
      } else if (max_deliveries_ > 0 && state.delivery->delivery_count > max_deliveries_) {
        // It came back too often without anybody's nack: from consumers that died of it.
        decide(state, SWAPMQ_SETTLE_DEAD_LETTER, 0, "max_deliveries", now);
      } else if (draining_) {
        decide(state, SWAPMQ_SETTLE_RELEASE, 0, {}, now);
      } else {
        buffer_.push_back(&state);
      }
    }
    give_back_what_nobody_asked_for();
  }
  bell_->ring();
}

void Ledger::count(std::int32_t action) const {
  switch (action) {
    case SWAPMQ_SETTLE_ACK:
      return metrics_.acked.add();
    case SWAPMQ_SETTLE_NACK:
      return metrics_.nacked.add();
    case SWAPMQ_SETTLE_RELEASE:
      return metrics_.released.add();
    default:
      return metrics_.dead_lettered.add();
  }
}

void Ledger::ended(std::span<const Pending> settlements, std::span<const swapmq_status> statuses) {
  const Deadline now = steady_clock::now();
  Telling telling;
  {
    const Lock lock(mutex_);
    for (std::size_t i = 0; i < settlements.size(); ++i) {
      if (statuses[i] == SWAPMQ_OK) {
        end(*settlements[i].delivery, Stage::settled);
        count(settlements[i].action);
        metrics_.settle_seconds.observe(now - settlements[i].decided);
      } else if (statuses[i] == SWAPMQ_LOST) {
        lose(*settlements[i].delivery, not_ours());
      }
    }
    telling = to_tell();
  }
  tell(telling);
  for (std::size_t i = 0; i < settlements.size();
       ++i) { // without the lock: may free what we stand on
    if (statuses[i] == SWAPMQ_OK || statuses[i] == SWAPMQ_LOST) {
      settlements[i].delivery->batch->drop_reference();
    }
  }
}

void Ledger::end(DeliveryState& delivery, Stage stage) {
  delivery.stage.store(stage, std::memory_order_relaxed);
  --outstanding_;
  if (settle_waiters_ > 0) {
    to_waiters_.notify_all();
    const auto [first, last] = listeners_.equal_range(&delivery);
    for (auto one = first; one != last; ++one) {
      to_tell_.emplace_back(std::move(one->second), word_on(delivery));
    }
    listeners_.erase(first, last);
  }
  if (outstanding_ == 0 && draining_) {
    to_lane_.notify_one();
    to_waiters_.notify_all();
  }
}

void Ledger::lose(DeliveryState& delivery, const Error& why) {
  delivery.verdict = why;
  metrics_.lost.add();
  end(delivery, Stage::lost);
}

void Ledger::put_back(std::vector<Pending> settlements, milliseconds pause) {
  const Lock lock(mutex_);
  const Deadline not_before = steady_clock::now() + pause;
  for (Pending& pending : settlements) {
    pending.not_before = not_before;
    pending_.push_back(std::move(pending));
  }
}

void Ledger::told(std::vector<Pending> settlements) {
  const Lock lock(mutex_);
  std::move(settlements.begin(), settlements.end(), std::back_inserter(told_));
}

void Ledger::lose_all(const Error& why) {
  std::vector<DeliveryState*> gone;
  Telling telling;
  {
    const Lock lock(mutex_);
    gone.assign(buffer_.begin(), buffer_.end());
    buffer_.clear();
    for (const auto* settlements : {&told_, &pending_}) {
      for (const Pending& pending : *settlements) gone.push_back(pending.delivery);
    }
    told_.clear();
    pending_.clear();
    while (oldest_ != nullptr) {
      gone.push_back(oldest_);
      unlist(*oldest_);
    }
    for (DeliveryState* delivery : gone) lose(*delivery, why);
    telling = to_tell();
  }
  tell(telling);
  for (DeliveryState* delivery : gone) delivery->batch->drop_reference();
}

bool Ledger::pause(Deadline until) {
  const Lock lock(mutex_);
  const auto over = [&]() SWAPMQ_REQUIRES(mutex_) {
    return shut_ || (draining_ && outstanding_ == 0);
  };
  while (!over() && steady_clock::now() < until) to_lane_.wait_until(mutex_, until);
  return !shut_;
}

// ---- closing and keeping ------------------------------------------------------------------------

void Ledger::drain() {
  const Lock lock(mutex_);
  draining_ = true;
  const Deadline now = steady_clock::now();
  for (DeliveryState* delivery : buffer_) decide(*delivery, SWAPMQ_SETTLE_RELEASE, 0, {}, now);
  buffer_.clear();
  bell_->ring();
  wake_lane();
}

bool Ledger::wait_drained(Deadline deadline) {
  const Lock lock(mutex_);
  while (outstanding_ > 0 && !shut_ && steady_clock::now() < deadline) {
    to_waiters_.wait_until(mutex_, deadline);
  }
  return outstanding_ == 0;
}

void Ledger::shut() {
  const Lock lock(mutex_);
  shut_ = true;
  bell_->ring();
  to_waiters_.notify_all();
  to_lane_.notify_all();
  if (in_exchange_ != nullptr) in_exchange_->interrupt();
}

bool Ledger::any_due(Deadline now) const {
  return std::any_of(pending_.begin(), pending_.end(),
                     [&](const Pending& pending) { return pending.not_before <= now; });
}

void Ledger::tick() {
  const Deadline now = steady_clock::now();
  const std::int64_t due_at_ms = unix_now_ms() + retry_delay_.load().count();
  const Lock lock(mutex_);
  while (ack_timeout_.count() > 0 && oldest_ != nullptr &&
         oldest_->handed_out_at + ack_timeout_ <= now) {
    DeliveryState& delivery = *oldest_;
    unlist(delivery);
    delivery.timed_out = true;
    decide(delivery, SWAPMQ_SETTLE_NACK, due_at_ms, "ack_timeout", now);
    metrics_.ack_timeouts.add();
  }
  if (any_due(now)) wake_lane();
}

std::size_t Ledger::handed_out() {
  const Lock lock(mutex_);
  return listed_;
}

std::size_t Ledger::outstanding() {
  const Lock lock(mutex_);
  return outstanding_;
}

bool Ledger::draining() {
  const Lock lock(mutex_);
  return draining_;
}

} // namespace swapmq::queue
