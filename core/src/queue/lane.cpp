// SPDX-License-Identifier: MIT
#include "queue/lane.h"

#include <algorithm>
#include <exception>
#include <utility>

namespace swapmq::queue {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {
constexpr milliseconds refused_pause{1000}; // before a settlement that was refused is tried again
constexpr milliseconds nudge{1000};
} // namespace

Lane::Lane(LaneSetup setup)
    : setup_(std::move(setup)),
      ledger_(std::make_shared<Ledger>(setup_.queue, setup_.options, setup_.policy->retry_delay,
                                       setup_.policy->max_deliveries(), *setup_.queue_metrics,
                                       setup_.bell)),
      policy_(setup_.policy) {
  if (setup_.handler && setup_.options.concurrency > 1) {
    running_ += setup_.options.concurrency;
    for (std::uint32_t i = 0; i < setup_.options.concurrency; ++i) {
      workers_.emplace_back([this] {
        work();
        --running_;
      });
    }
  }
  thread_ = std::thread([this] {
    run();
    --running_;
  });
}

Lane::~Lane() {
  close(steady_clock::now());
  thread_.join();
  for (std::thread& worker : workers_) worker.join();
}

// ---- the lane's thread --------------------------------------------------------------------------

void Lane::run() {
  while (true) {
    const Ledger::Next next = ledger_->wait_for_work();
    if (next == Ledger::Next::end) return;
    if (next == Ledger::Next::serve) {
      serve();
      continue;
    }
    bool well = subscribe();
    {
      const Lock lock(session_mutex_);
      if (subscription_ != nullptr) { // or else it went with the keeper, or the lane was closed
        Ledger::Work work = ledger_->take_work();
        well = exchange(std::move(work.settlements), work.credit, Wait::yes);
      }
    }
    if (well) {
      backoff_.reset();
      if (setup_.handler && workers_.empty()) run_handlers();
    } else if (!ledger_->pause(steady_clock::now() + backoff_.next())) {
      return;
    }
  }
}

void Lane::run_handlers() {
  while (!ledger_->draining()) {
    const HandlerSlot slot(*setup_.slots, steady_clock::now() + nudge);
    if (slot && !run_turn()) return;
  }
}

/// Handles what is buffered. Returns whether it stopped early, since another lane waits for its
/// turn.
bool Lane::run_turn() {
  Deadline now = steady_clock::now(); // read once a message: that is most of what one costs here
  Deadline last_exchange = now;
  bool handled = false;
  while (true) {
    const Ledger::Step next = ledger_->next_step(handled, last_exchange, now);
    handled = next.delivery.has_value();
    if (handled) {
      now = handle(*next.delivery, now);
      if (setup_.slots->wanted()) return true;
      continue;
    }
    if (!next.flush) return false;
    const Lock lock(session_mutex_);
    if (session_ == nullptr) return false;
    Ledger::Work work = ledger_->take_work();
    if (!exchange(std::move(work.settlements), work.credit, Wait::no)) return false;
    last_exchange = now = steady_clock::now();
  }
}

void Lane::work() {
  while (!ledger_->draining()) {
    const std::uint32_t heard = setup_.bell->listen();
    if (!work_once()) setup_.bell->wait(heard, steady_clock::now() + nudge);
  }
}

/// false: there was nothing to do.
bool Lane::work_once() {
  const HandlerSlot slot(*setup_.slots, steady_clock::now() + nudge);
  if (!slot) return true; // nobody knows
  const Deadline now = steady_clock::now();
  const auto delivery = ledger_->take(now);
  if (delivery) handle(*delivery, now);
  return delivery.has_value();
}

Deadline Lane::handle(const Delivery& delivery, Deadline started) {
  const auto span = setup_.tracer != nullptr ? setup_.tracer->handling(delivery) : nullptr;
  Decision decision;
  try {
    decision = setup_.handler(delivery);
  } catch (const std::exception& failure) {
    decision = nack(std::nullopt, failure.what());
  } catch (...) { // whatever a handler throws, its message is not lost
    decision = nack(std::nullopt, "the handler threw something that is no std::exception");
  }
  const Deadline ended = steady_clock::now();
  setup_.queue_metrics->handle_seconds.observe(ended - started);
  if (span != nullptr) span->ended(decision);
  switch (decision.kind) {
    case Decision::Kind::ack:
      ledger_->settle(detail::DeliveryState::of(delivery), SWAPMQ_SETTLE_ACK, std::nullopt, {},
                      ended); // as delivery.ack(), but for another look at the clock
      break;
    case Decision::Kind::nack:
      delivery.nack(decision.delay, decision.reason);
      break;
    case Decision::Kind::release:
      delivery.release();
      break;
    case Decision::Kind::reject:
      delivery.reject(decision.reason);
      break;
    case Decision::Kind::keep:
      break;
  }
  return ended;
}

// ---- the session --------------------------------------------------------------------------------

/// Makes sure that there is a session that consumes. false: not now.
bool Lane::subscribe() {
  Error error;
  {
    const Lock lock(session_mutex_);
    if (closed_ || subscription_ != nullptr) return true;
    error = try_subscribe();
    if (error) end_session();
  }
  note(error);
  return !error;
}

Error Lane::try_subscribe() {
  const Deadline deadline = steady_clock::now() + setup_.connection_timeout;
  auto session = setup_.side->backend().open_session(SWAPMQ_ROLE_CONSUME, deadline);
  if (!session) return session.error();
  metrics::SessionMetrics& metrics = setup_.side->metrics().backend().consume;
  metrics.opened.add();
  in_use_ = metrics::Gauge::Hold(metrics.in_use);
  session_ = std::move(*session);
  auto queue = session_->queue(setup_.queue, setup_.spec);
  if (!queue) return queue.error();
  dead_letters_ = nullptr;
  if (Error error = follow_policy()) return error;
  auto subscription =
      session_->subscribe(*queue, setup_.options.prefetch, milliseconds(0), deadline);
  if (!subscription) return subscription.error();
  subscription_ = *subscription;
  return {};
}

void Lane::set_policy(std::shared_ptr<const LanePolicy> policy) {
  ledger_->set_retries(policy->retry_delay, policy->max_deliveries());
  const Lock lock(policy_mutex_);
  policy_ = std::move(policy);
}

Error Lane::follow_policy() {
  {
    const Lock lock(policy_mutex_);
    if (policy_ != followed_) dead_letters_ = nullptr;
    followed_ = policy_;
  }
  const SettlePolicy& settle = followed_->settle;
  const bool wanted = settle.native_dead_letter && !settle.dead_letter_queue.empty();
  if (!wanted || dead_letters_ != nullptr) return {};
  auto target = session_->queue(settle.dead_letter_queue, followed_->dead_letter_spec);
  if (!target) return target.error();
  dead_letters_ = *target;
  return {};
}

void Lane::flush() {
  const Deadline end = steady_clock::now() + setup_.connection_timeout;
  while (subscription_ != nullptr && steady_clock::now() < end) {
    auto settlements = ledger_->take_work().settlements;
    if (settlements.empty() || !exchange(std::move(settlements), 0, Wait::no)) return;
  }
}

bool Lane::exchange(std::vector<Pending> settlements, std::size_t credit, Wait wait) {
  if (const Error error = follow_policy()) note(error); // dead letters wait, then
  const auto policy = followed_;
  SettlementPlan plan(policy->settle, std::move(settlements), dead_letters_, ledger_->draining());
  if (!plan.later().empty()) ledger_->put_back(std::move(plan.later()), refused_pause);
  // What stays unsettled takes no credit along.
  credit = std::min(credit, ledger_->credit(plan.first_tries()));
  if (plan.settlements().empty() && credit == 0) return true;
  std::vector<swapmq_status> statuses(plan.settlements().size(), SWAPMQ_STATUS_UNTOUCHED);
  // Settlements are final when the call returns, so a call that has some does not wait for
  // deliveries; the next one does. The deadline bounds the round trip; that nobody waits is said by
  // an interrupt, which is sticky.
  const bool hurry =
      ledger_->enter_exchange(session_.get()) || wait == Wait::no || !plan.settlements().empty();
  if (hurry && credit > 0) session_->interrupt();
  plugin::Received received =
      session_->exchange(subscription_, plan.settlements(), statuses, credit, 0,
                         steady_clock::now() + setup_.connection_timeout);
  ledger_->leave_exchange();
  return conclude(plan, statuses, std::move(received));
}

bool Lane::conclude(SettlementPlan& plan, std::vector<swapmq_status>& statuses,
                    plugin::Received received) {
  const bool dead = session_->dead();
  std::vector<Pending> untried, refused, told;
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    if (dead && statuses[i] != SWAPMQ_OK) statuses[i] = SWAPMQ_LOST; // its receipts went with it
    if (statuses[i] == SWAPMQ_OK || statuses[i] == SWAPMQ_LOST) continue;
    auto& these = statuses[i] == SWAPMQ_STATUS_UNTOUCHED ? untried
                  : statuses[i] == SWAPMQ_STATUS_PENDING ? told
                                                         : refused;
    these.push_back(plan.pending()[i]);
  }
  if (dead) drop_session(received.error); // all at once: nobody sees one lost and the next one open
  ledger_->ended(plan.pending(), statuses);
  if (!told.empty()) ledger_->told(std::move(told));
  if (!untried.empty()) ledger_->put_back(std::move(untried), milliseconds(0));
  if (!refused.empty()) {
    setup_.log->write(LogLevel::warning, "queue \"" + setup_.queue +
                                             "\": " + std::to_string(refused.size()) +
                                             " settlements were refused; trying again");
    ledger_->put_back(std::move(refused), refused_pause);
  }
  if (received.batch != nullptr) {
    std::int64_t newest = 0;
    for (std::size_t i = 0; i < received.batch->count; ++i) {
      newest = std::max(newest, plugin::delivery_at(*received.batch, i).message->timestamp_ms);
    }
    setup_.side->note_newest(newest);
    ledger_->received(std::move(received.batch));
  }
  note(received.error);
  return !received.error;
}

void Lane::drop_session(const Error& why) {
  setup_.side->metrics().backend().consume.broken.add();
  ledger_->lose_all(Error(Errc::lost, "the session was lost: " + why.message()));
  end_session();
}

void Lane::end_session() {
  session_.reset();
  subscription_ = nullptr;
  dead_letters_ = nullptr;
  in_use_ = {};
}

void Lane::note(const Error& error) {
  bool changed = false;
  {
    const Lock lock(error_mutex_);
    changed = last_error_.message() != error.message();
    last_error_ = error;
  }
  if (!changed) return;
  setup_.log->write(
      error ? LogLevel::warning : LogLevel::info,
      "queue \"" + setup_.queue + "\": " +
          (error ? "consuming fails, trying again: " + error.message() : "consuming works"));
}

Error Lane::last_error() const {
  const Lock lock(error_mutex_);
  return last_error_;
}

// ---- keeping and closing ------------------------------------------------------------------------

void Lane::serve() {
  if (!session_mutex_.try_lock()) return; // in an exchange, which serves the session as well
  if (session_ != nullptr && subscription_ != nullptr && !closed_) {
    auto settlements = ledger_->take_work().settlements;
    if (!settlements.empty()) {
      exchange(std::move(settlements), 0, Wait::no);
    } else if (steady_clock::now() - session_->last_used() >= milliseconds(500)) {
      const Error error = session_->service(steady_clock::now() + nudge);
      if (error) note(error);
      if (session_->dead()) drop_session(error);
    }
  }
  session_mutex_.unlock();
}

Error Lane::close(Deadline deadline) {
  ledger_->drain();
  const bool drained = ledger_->wait_drained(deadline);
  ledger_->shut();
  const Lock lock(session_mutex_);
  if (!closed_) {
    closed_ = true;
    flush();
    if (subscription_ != nullptr) session_->unsubscribe(subscription_);
    ledger_->lose_all(Error(Errc::lost, "the consumer was closed; the message goes to another"));
    end_session();
  }
  if (drained) return {};
  return {Errc::timeout, "queue \"" + setup_.queue +
                             "\": some deliveries were not settled in time; they went back"};
}

} // namespace swapmq::queue
