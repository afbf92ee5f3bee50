// SPDX-License-Identifier: MIT
//
// The leader's part of group commit: attempts, retries, outcomes.
#include <algorithm>
#include <utility>

#include "failpoint.h"
#include "plugin/call_error.h"
#include "plugin/views.h"
#include "queue/clock.h"
#include "queue/publisher.h"
#include "queue/status.h"

namespace swapmq::queue {

using plugin::bytes;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// What goes into one call of the plugin.
constexpr std::size_t max_call_messages = 4096;
constexpr std::size_t max_call_bytes = std::size_t{16} << 20;
constexpr std::size_t scratch_to_keep = 4096;

Deadline earliest(const std::vector<PublishRequest*>& requests) {
  Deadline first = Deadline::max();
  for (const PublishRequest* request : requests) first = std::min(first, request->deadline);
  return first;
}

} // namespace

void Publisher::lead(std::vector<PublishRequest*> requests, PublishGroup* group,
                     const PublishRequest* own) {
  Backoff alone;
  Backoff& backoff = group != nullptr ? group->backoff : alone;
  bool give_up = false;
  while (true) {
    finish_done(requests, group, give_up);
    if (requests.empty()) break;
    if (own != nullptr && std::find(requests.begin(), requests.end(), own) == requests.end()) {
      return hand_over(std::move(requests), *group); // our caller waits for nobody else's retries
    }
    if (!attempt(requests, earliest(requests))) continue;
    finish_done(requests, group, false);
    if (requests.empty()) break;
    if (route_.turns() != turn_) continue; // elsewhere it may be done at once
    const Deadline next = std::min(steady_clock::now() + backoff.next(), earliest(requests));
    if (own != nullptr) {
      give_up = !pause(next);
    } else {
      if (lead_later(requests, next)) return;
      give_up = true;
    }
  }
  pass_on();
}

/// Finishes the requests that are decided, whose deadline passed, or all (give_up), and removes
/// them.
void Publisher::finish_done(std::vector<PublishRequest*>& requests, PublishGroup* group,
                            bool give_up) {
  const Deadline now = steady_clock::now();
  const auto done = [&](PublishRequest* request) {
    if (!request->all_final()) {
      if (!give_up && now < request->deadline) return false;
      const auto progress = request->progress();
      for (std::size_t i = 0; i < progress.size(); ++i) {
        if (progress[i].final) continue;
        const bool tried = progress[i].code != Errc::ok;
        request->refuse(i, tried ? progress[i].code : Errc::timeout,
                        tried ? "" : "the deadline passed before the message was sent");
      }
    }
    count(*request, now, *metrics_);
    if (request->asynchronous()) {
      completed_.push_back(request);
    } else { // the last touch: its thread may free it right after
      request->state.store(PublishRequest::finished, std::memory_order_release);
    }
    return true;
  };
  const bool any = std::erase_if(requests, done) > 0;
  if (!completed_.empty()) async_.finished(completed_); // one by one, they would fight for its lock
  completed_.clear();
  if (any && group != nullptr) {
    group->changed.increment();
    group->changed.wake_all();
  }
}

/// Of a request that was never led.
void Publisher::finish(PublishRequest& request) {
  count(request, steady_clock::now(), route_.side()->metrics().queue(queue_));
  PublishRequest* const one = &request;
  if (request.asynchronous()) return async_.finished({&one, 1});
  request.state.store(PublishRequest::finished, std::memory_order_release);
}

void Publisher::count(const PublishRequest& request, Deadline now, metrics::QueueMetrics& metrics) {
  std::uint64_t confirmed = 0;
  std::uint64_t in_doubt = 0;
  for (const MessageProgress& message : request.progress()) {
    confirmed += message.outcome == Outcome::confirmed ? 1 : 0;
    in_doubt += message.outcome == Outcome::in_doubt ? 1 : 0;
  }
  const std::uint64_t failed = request.messages.size() - confirmed - in_doubt;
  if (confirmed > 0) metrics.confirmed.add(confirmed);
  if (in_doubt > 0) metrics.in_doubt.add(in_doubt);
  if (failed > 0) metrics.failed.add(failed);
  metrics.publish_seconds.observe(now - request.started, request.messages.size());
}

void Publisher::hand_over(std::vector<PublishRequest*> requests, PublishGroup& group) {
  PublishRequest& heir = *requests.front();
  const std::shared_ptr<PublishGroup> kept = heir.group; // the heir may finish before we are done
  group.requests = std::move(requests);
  if (heir.asynchronous()) return async_.lead(*this, kept, at_once);
  heir.state.store(PublishRequest::leading, std::memory_order_release);
  kept->changed.increment();
  kept->changed.wake_all();
  kept->promotion.increment(); // it may sleep there, if it was the front of its group
  kept->promotion.wake_all();
}

/// One call of the plugin for what is not yet final, on the side of now. Returns whether something
/// failed that is worth another attempt, after a pause.
bool Publisher::attempt(const std::vector<PublishRequest*>& requests, Deadline deadline) {
  turn_ = route_.turns();
  const Route::Passage side = route_.enter();
  Failpoints::reach("publish: the route was read");
  enter(requests, *side);
  collect(requests);
  if (items_.empty()) return false;
  results_.assign(items_.size(), swapmq_publish_result{});
  const Error error = call(*side, deadline);
  const bool retry = fold_all(error, error && steady_clock::now() >= deadline);
  if (items_.capacity() > scratch_to_keep) { // a large batch does not keep its memory for ever
    items_ = {};
    encoded_ = {};
    results_ = {};
  }
  if (headers_.capacity() > scratch_to_keep) headers_ = {};
  return retry;
}

Error Publisher::call(Side& side, Deadline deadline) {
  if (route_.holds(queue_)) {
    return {Errc::unavailable,
            "strict order: what was published to \"" + queue_ +
                "\" before the switch is still being consumed",
            true};
  }
  auto session = side.publish_sessions().acquire(deadline);
  if (!session) return session.error();
  auto queue = (*session)->queue(queue_, spec_);
  return queue ? (*session)->publish(*queue, encoded_, results_, deadline) : queue.error();
}

/// Takes the results of a call over. Returns whether something is worth another attempt.
bool Publisher::fold_all(const Error& error, bool cut) {
  bool retry = false;
  for (std::size_t i = 0; i < items_.size(); ++i) {
    swapmq_publish_result& result = results_[i];
    if (result.outcome == SWAPMQ_PUBLISH_UNTOUCHED) { // the plugin was never asked
      result = {SWAPMQ_PUBLISH_FAILED, SWAPMQ_STATUS_UNTOUCHED,
                error.retryable() ? SWAPMQ_ERROR_RETRYABLE : 0, 0};
    }
    retry = fold(items_[i], result, error, cut) || retry;
  }
  return retry;
}

/// What was made for another side is made for this one.
void Publisher::enter(const std::vector<PublishRequest*>& requests, const Side& side) {
  if (serial_ != side.serial()) {
    serial_ = side.serial();
    spec_ = rules_.spec(queue_);
    metrics_ = &side.metrics().queue(queue_);
  }
  for (PublishRequest* request : requests) {
    if (request->checked_for != serial_) check(*request, side);
  }
}

void Publisher::collect(const std::vector<PublishRequest*>& requests) {
  items_.clear();
  std::size_t header_count = 0;
  std::size_t body_bytes = 0;
  for (PublishRequest* request : requests) {
    const auto progress = request->progress();
    for (std::size_t i = 0; i < progress.size() && items_.size() < max_call_messages; ++i) {
      if (progress[i].final) continue;
      body_bytes += request->messages[i].body.size();
      if (body_bytes > max_call_bytes && !items_.empty()) break;
      header_count += request->messages[i].headers.size();
      items_.push_back({request, i});
    }
  }
  headers_.clear();
  headers_.reserve(header_count); // encode() points into it
  encoded_.resize(items_.size());
  for (std::size_t i = 0; i < items_.size(); ++i) encode(encoded_[i], items_[i]);
}

void Publisher::encode(swapmq_message& to, const Item& item) {
  const PublishRequest& request = *item.request;
  const Message& from = request.messages[item.index];
  to = {};
  to.id = bytes(request.id(item.index));
  to.body = bytes(from.body);
  to.header_count = static_cast<std::uint32_t>(from.headers.size());
  to.header_size = sizeof(swapmq_header);
  if (!from.headers.empty()) {
    to.headers = headers_.data() + headers_.size();
    for (const Header& header : from.headers) {
      headers_.push_back({bytes(header.name), bytes(header.value)});
    }
  }
  to.timestamp_ms = request.timestamp_ms;
  if (from.delay.count() > 0) to.due_at_ms = request.timestamp_ms + bounded(from.delay).count();
  if (from.ttl.count() > 0) to.expires_at_ms = request.timestamp_ms + bounded(from.ttl).count();
  to.priority = from.priority;
  to.ordering_key = bytes(from.ordering_key);
  to.correlation_id = bytes(from.correlation_id);
  to.reply_to = bytes(from.reply_to);
  to.content_type = bytes(from.content_type);
}

/// Takes one result over; `cut`: the deadline ended the attempt. Returns whether the message is
/// worth another one.
bool Publisher::fold(const Item& item, const swapmq_publish_result& result, const Error& error,
                     bool cut) {
  MessageProgress& message = item.request->progress()[item.index];
  if (result.outcome == SWAPMQ_PUBLISH_CONFIRMED) {
    message.final = true;
    message.outcome = Outcome::confirmed;
    message.code = Errc::ok;
    return false;
  }
  const Errc code =
      result.status == SWAPMQ_STATUS_UNTOUCHED ? error.code() : plugin::to_errc(result.status);
  const bool in_doubt = result.outcome == SWAPMQ_PUBLISH_IN_DOUBT;
  // An attempt that had no time says less than the one before it.
  if (!cut || in_doubt || code != Errc::timeout || message.code == Errc::ok) {
    message.code = code;
    // The error may be that of another message of the call.
    const bool its_own = error && error.code() == code;
    message.text = its_own ? error.message() : std::string(to_string(code));
  }
  if (in_doubt) message.ever_in_doubt = true;
  message.retryable =
      in_doubt || (result.flags & SWAPMQ_ERROR_RETRYABLE) != 0 || worth_retrying(code);
  if (message.retryable) {
    metrics_->publish_retries.add();
    return true;
  }
  message.final = true;
  message.outcome = message.ever_in_doubt ? Outcome::in_doubt : Outcome::failed;
  return false;
}

/// The asynchronous leader's pause: its thread has the groups of other queues to lead meanwhile.
/// false: the publisher gives up retrying, since it is being closed.
bool Publisher::lead_later(std::vector<PublishRequest*>& requests, Deadline when) {
  const std::shared_ptr<PublishGroup> group = requests.front()->group;
  const Lock lock(mutex_); // so that no hurry() comes between looking and asking
  if (give_up_) return false;
  if (route_.turns() != turn_) when = at_once;
  group->requests = std::move(requests);
  async_.lead(*this, group, when);
  return true;
}

/// Ends early when the route changes. false: the publisher gives up retrying, since it is being
/// closed.
bool Publisher::pause(Deadline until) {
  const Lock lock(mutex_);
  while (!give_up_ && route_.turns() == turn_ && steady_clock::now() < until) {
    no_more_pause_.wait_until(mutex_, until);
  }
  return !give_up_;
}

} // namespace swapmq::queue
