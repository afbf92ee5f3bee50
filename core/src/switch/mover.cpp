// SPDX-License-Identifier: MIT
#include "switch/mover.h"

#include <algorithm>
#include <functional>
#include <string_view>
#include <utility>

#include "failpoint.h"
#include "plugin/call_error.h"
#include "plugin/views.h"
#include "quiet_thread.h"
#include "switch/cargo.h"

namespace swapmq::switching {

using plugin::delivery_at;
using queue::Deadline;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr std::uint32_t claim_size = 256;
constexpr std::uint64_t claim_bytes = std::uint64_t{8} << 20;
constexpr milliseconds claim_patience{100};     // for a message to come
constexpr milliseconds round_trip{5000};        // of the old side, and of one try on the new one
constexpr milliseconds publish_patience{30000}; // then what is claimed goes back
constexpr std::size_t most_rests = 4096;
constexpr std::size_t most_circling = 65536; // that are carried at a stretch

bool any(const std::vector<Mover::Fate>& fates, Mover::Fate fate) {
  return std::find(fates.begin(), fates.end(), fate) != fates.end();
}

/// Of the id.
std::size_t hash_of(const swapmq_message& message) {
  return std::hash<std::string_view>()(plugin::view(message.id));
}

} // namespace

Mover::Mover(Traffic& traffic, std::shared_ptr<queue::Side> from)
    : traffic_(traffic), from_(std::move(from)), thread_(quiet_thread([this] { run(); })) {}

Mover::~Mover() { stop(); }

void Mover::stop() {
  {
    const Lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Mover::move(std::set<std::string> queues) {
  const Lock lock(mutex_);
  queues_ = std::move(queues);
  changed_.notify_all();
}

Error Mover::error() const {
  const Lock lock(mutex_);
  return error_;
}

void Mover::note(const Error& error) {
  const Lock lock(mutex_);
  error_ = error;
}

std::optional<std::set<std::string>> Mover::queues() const {
  const Lock lock(mutex_);
  if (stopping_) return std::nullopt;
  return queues_;
}

void Mover::wait_for_queues() {
  const Lock lock(mutex_);
  while (!stopping_ && queues_.empty()) {
    changed_.wait_until(mutex_, steady_clock::now() + std::chrono::hours(1));
  }
}

void Mover::pause(milliseconds time) {
  const Deadline until = steady_clock::now() + time;
  const Lock lock(mutex_);
  while (!stopping_ && steady_clock::now() < until) changed_.wait_until(mutex_, until);
}

bool Mover::wanted(const std::string& queue) const {
  if (traffic_.route().serial() == from_->serial()) return false; // it is the place to be again
  const Lock lock(mutex_);
  return !stopping_ && queues_.contains(queue);
}

void Mover::run() {
  queue::Backoff idle(milliseconds(200), milliseconds(1000));
  while (const auto queues = this->queues()) {
    if (queues->empty()) {
      session_.reset();
      wait_for_queues();
      continue;
    }
    std::uint64_t moved = 0;
    for (const std::string& queue : *queues) {
      const auto rest = rests_.find(queue);
      if (rest != rests_.end() && steady_clock::now() < rest->second.until) continue;
      if (wanted(queue)) moved += move_queue(queue).moved;
    }
    if (moved > 0) {
      idle.reset();
      continue;
    }
    pause(idle.next());
    serve();
  }
  session_.reset();
}

/// The session that waits for something to move stays alive.
void Mover::serve() {
  if (session_ == nullptr || steady_clock::now() - session_->last_used() < milliseconds(500))
    return;
  if (session_->service(steady_clock::now() + round_trip)) session_.reset();
}

Error Mover::open_session(Deadline deadline) {
  if (session_ != nullptr) return {};
  auto session = from_->backend().open_session(SWAPMQ_ROLE_CONSUME, deadline);
  if (!session) return session.error();
  session_ = std::move(*session);
  return {};
}

Mover::Tally Mover::move_queue(const std::string& queue) {
  const Deadline deadline = steady_clock::now() + round_trip;
  Tally tally;
  Error error = open_session(deadline);
  if (!error) {
    auto handle = session_->queue(queue, traffic_.queue_spec(queue));
    auto subscription = handle ? session_->subscribe(*handle, claim_size, milliseconds(0), deadline)
                               : Result<swapmq_subscription*>(handle.error());
    error = subscription ? move_batches(queue, *subscription, tally) : subscription.error();
    if (subscription) session_->unsubscribe(*subscription);
    if (error) session_.reset();
  }
  if (error || tally.kept > 0 || !tally.circling.empty()) {
    rest(queue);
  } else if (tally.moved > 0) {
    rests_.erase(queue);
  }
  note(error);
  return tally;
}

/// What is ready first, then what waits for its time.
Error Mover::move_batches(const std::string& queue, swapmq_subscription* subscription,
                          Tally& tally) {
  bool delayed = false;
  // What was given back is not claimed again at once.
  while (wanted(queue) && tally.kept == 0 && tally.circling.size() < most_circling) {
    const Deadline deadline = steady_clock::now() + (delayed ? round_trip : claim_patience);
    const plugin::Received claimed =
        delayed ? session_->claim_delayed(subscription, claim_size, claim_bytes, deadline)
                : session_->exchange(subscription, {}, {}, claim_size, claim_bytes, deadline);
    if (claimed.error) return claimed.error;
    if (claimed.batch != nullptr) {
      if (Error error = carry(queue, subscription, *claimed.batch, tally)) return error;
      continue;
    }
    const auto to = traffic_.route().side();
    const bool can = session_->can_claim_delayed() &&
                     to->backend().capabilities().delayed_publish != SWAPMQ_ABSENT;
    if (delayed || !can) return {};
    delayed = true;
  }
  return {};
}

Error Mover::carry(const std::string& queue, swapmq_subscription* subscription,
                   const swapmq_batch& batch, Tally& tally) {
  carries_ = true;
  Failpoints::reach("move: claimed");
  std::vector<Fate> fates(batch.count, Fate::waits);
  choose(queue, batch, fates, tally);
  Error failed = publish(queue, batch, fates);
  Failpoints::reach("move: before the ack");
  Error error = settle(subscription, batch, fates);
  Failpoints::reach("move: done");
  carries_ = false;
  for (const Fate fate : fates) ++(fate == Fate::moved ? tally.moved : tally.kept);
  return failed ? failed : error;
}

/// A message that would come back to where it was is handled rather than moved, if somebody here
/// can. Where nobody can, two hosts may both carry it away from where they do not publish: each
/// carries it once, then takes a longer and longer pause, and none gives up.
void Mover::choose(const std::string& queue, const swapmq_batch& batch, std::vector<Fate>& fates,
                   Tally& tally) {
  const std::string to = traffic_.route().side()->key();
  const bool rested = rests_.contains(queue);
  const bool consumed = traffic_.consumed_queues().contains(queue);
  for (std::size_t i = 0; i < batch.count; ++i) {
    const swapmq_delivery& delivery = delivery_at(batch, i);
    const bool broken = (delivery.flags & SWAPMQ_DELIVERY_UNDECODABLE) != 0;
    bool stays = broken;
    if (!broken && was_moved_from(*delivery.message, to)) {
      stays = consumed || !rested || !tally.circling.insert(hash_of(*delivery.message)).second;
    }
    if (stays) fates[i] = Fate::kept;
  }
}

Error Mover::publish(const std::string& queue, const swapmq_batch& batch,
                     std::vector<Fate>& fates) {
  const Deadline give_up = steady_clock::now() + publish_patience;
  queue::Backoff backoff;
  Error error;
  while (any(fates, Fate::waits)) {
    if (!wanted(queue) || steady_clock::now() >= give_up) break;
    error = publish_once(queue, batch, fates);
    if (!any(fates, Fate::waits)) break;
    pause(backoff.next());
    if (Error lost = session_->service(steady_clock::now() + round_trip)) return lost;
  }
  std::replace(fates.begin(), fates.end(), Fate::waits, Fate::kept);
  return error;
}

/// One call of the plugin, on the side that is the route now.
Error Mover::publish_once(const std::string& queue, const swapmq_batch& batch,
                          std::vector<Fate>& fates) {
  const Deadline deadline = steady_clock::now() + round_trip;
  const queue::Route::Passage to = traffic_.route().enter();
  if (to->serial() == from_->serial()) return {};
  const Cargo cargo(batch, from_->key(), to->backend().capabilities());
  std::vector<swapmq_message> messages;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < fates.size(); ++i) {
    if (fates[i] != Fate::waits) continue;
    messages.push_back(cargo.messages()[i]);
    places.push_back(i);
  }
  auto session = to->publish_sessions().acquire(deadline);
  if (!session) return session.error();
  auto handle = (*session)->queue(queue, traffic_.queue_spec(queue));
  if (!handle) return handle.error();
  std::vector<swapmq_publish_result> results(messages.size());
  Error error = (*session)->publish(*handle, messages, results, deadline);
  for (std::size_t i = 0; i < results.size(); ++i) {
    const swapmq_publish_result& result = results[i];
    if (result.outcome == SWAPMQ_PUBLISH_CONFIRMED) {
      fates[places[i]] = Fate::moved;
    } else if (result.outcome == SWAPMQ_PUBLISH_FAILED &&
               (result.flags & SWAPMQ_ERROR_RETRYABLE) == 0) {
      fates[places[i]] = Fate::kept; // nor would it be taken next time
    }
  }
  if (error || !any(fates, Fate::kept)) return error;
  return {Errc::unavailable, "some messages of \"" + queue + "\" cannot be moved to " + to->name()};
}

/// Acks what was moved and gives back the rest.
Error Mover::settle(swapmq_subscription* subscription, const swapmq_batch& batch,
                    const std::vector<Fate>& fates) {
  const bool releases = from_->backend().capabilities().release != SWAPMQ_ABSENT;
  std::vector<swapmq_settlement> settlements(batch.count, swapmq_settlement{});
  std::vector<swapmq_status> statuses(batch.count, SWAPMQ_STATUS_UNTOUCHED);
  std::uint64_t acked = 0;
  for (std::size_t i = 0; i < settlements.size(); ++i) {
    settlements[i].delivery = &delivery_at(batch, i);
    settlements[i].action = fates[i] == Fate::moved ? SWAPMQ_SETTLE_ACK
                            : releases              ? SWAPMQ_SETTLE_RELEASE
                                                    : SWAPMQ_SETTLE_NACK;
    settlements[i].due_at_ms = releases ? 0 : settlements[i].delivery->message->due_at_ms;
  }
  Error error =
      session_
          ->exchange(subscription, settlements, statuses, 0, 0, steady_clock::now() + round_trip)
          .error;
  for (std::size_t i = 0; i < statuses.size(); ++i) {
    if (fates[i] == Fate::moved && statuses[i] == SWAPMQ_OK) ++acked;
  }
  moved_.fetch_add(acked);
  return error;
}

void Mover::rest(const std::string& queue) {
  if (rests_.size() >= most_rests) rests_.clear();
  Rest& rest = rests_[queue];
  rest.until = steady_clock::now() + rest.backoff.next();
}

} // namespace swapmq::switching
