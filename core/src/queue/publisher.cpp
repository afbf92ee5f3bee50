// SPDX-License-Identifier: MIT
#include "queue/publisher.h"

#include <sched.h>

#include <algorithm>
#include <utility>

#include "queue/status.h"

namespace swapmq::queue {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

// What may wait for its turn in one queue; beyond it callers wait in front of it.
constexpr std::size_t max_waiting_messages = 65'536;
constexpr std::size_t max_waiting_bytes = std::size_t{64} << 20;
// What travels in one group, unless one request alone is larger.
constexpr std::size_t max_group_messages = 1024;
constexpr std::size_t max_group_bytes = std::size_t{4} << 20;

} // namespace

Publisher::Publisher(std::string queue, const QueueRules& rules, Route& route, AsyncExecutor& async)
    : queue_(std::move(queue)),
      rules_(rules),
      route_(route),
      async_(async),
      metrics_(&route.side()->metrics().queue(queue_)) {}

void Publisher::prepare(PublishRequest& request) { check(request, *route_.side()); }

/// Refuses what that side would not take.
void Publisher::check(PublishRequest& request, const Side& side) const {
  request.checked_for = side.serial();
  for (std::size_t i = 0; i < request.messages.size(); ++i) {
    if (request.progress()[i].final) continue;
    if (const Error wrong = check_message(request.messages[i], side.backend())) {
      request.refuse(i, wrong.code(), wrong.message());
    }
  }
}

void Publisher::publish(PublishRequest& request) {
  prepare(request);
  if (request.all_final()) return finish(request);
  switch (join(request)) {
    case Joined::leads:
      lead({&request}, nullptr, &request);
      break;
    case Joined::waits:
      wait_and_maybe_lead(request);
      break;
    case Joined::refused:
      finish(request);
      break;
  }
}

void Publisher::publish_async(std::unique_ptr<PublishRequest> owned) {
  prepare(*owned);
  PublishRequest* request = owned.release(); // finished() takes it back
  if (request->all_final()) return finish(*request);
  switch (join(*request)) {
    case Joined::leads: {
      auto group = std::make_shared<PublishGroup>();
      group->requests.push_back(request);
      group->taken = true;
      request->group = group;
      async_.lead(*this, std::move(group), at_once);
      break;
    }
    case Joined::waits: // its leader finishes it
      break;
    case Joined::refused:
      finish(*request);
      break;
  }
}

Publisher::Joined Publisher::join(PublishRequest& request) {
  const std::size_t count = request.messages.size();
  const Lock lock(mutex_);
  const auto full = [&]() SWAPMQ_REQUIRES(mutex_) {
    return waiting_messages_ > 0 && (waiting_messages_ + count > max_waiting_messages ||
                                     waiting_bytes_ + request.bytes() > max_waiting_bytes);
  };
  while (!closed_ && full()) {
    if (room_.wait_until(mutex_, request.deadline) || steady_clock::now() < request.deadline) {
      continue;
    }
    for (std::size_t i = 0; i < count; ++i) {
      if (request.progress()[i].final) continue;
      request.refuse(i, Errc::timeout,
                     "too many messages waited to be published to \"" + queue_ +
                         "\" until the deadline; nothing was sent");
    }
    return Joined::refused;
  }
  if (closed_) {
    for (std::size_t i = 0; i < count; ++i) {
      if (!request.progress()[i].final) request.refuse(i, Errc::closed, "the queue is closed");
    }
    return Joined::refused;
  }
  if (!leading_) {
    leading_ = true;
    return Joined::leads;
  }
  if (groups_.empty() || groups_.back()->messages + count > max_group_messages ||
      groups_.back()->bytes + request.bytes() > max_group_bytes) {
    groups_.push_back(std::make_shared<PublishGroup>());
    request.front.store(true);
  }
  PublishGroup& group = *groups_.back();
  group.requests.push_back(&request);
  group.messages += count;
  group.bytes += request.bytes();
  waiting_messages_ += count;
  waiting_bytes_ += request.bytes();
  request.group = groups_.back();
  return Joined::waits;
}

void Publisher::wait_and_maybe_lead(PublishRequest& request) {
  PublishGroup& group = *request.group; // kept by the request
  bool may_leave = true;
  bool yielded = false;
  while (true) {
    const bool front = request.front.load();
    Futex& word = front ? group.promotion : group.changed;
    const std::uint32_t seen = word.load();
    const auto state = request.state.load(std::memory_order_acquire);
    if (state == PublishRequest::finished) return;
    if (state == PublishRequest::leading) {
      return lead(std::move(group.requests), &group, &request);
    }
    if (front != request.front.load()) continue;
    if (!yielded) { // most groups are done within a time slice; sleeping would cost two switches
      yielded = true;
      sched_yield();
      continue;
    }
    // Once a leader has taken the group, it uses the caller's memory: then it is the leader who
    // keeps the deadline, within the length of a plugin call.
    const auto until = may_leave ? request.deadline : steady_clock::now() + std::chrono::hours(1);
    if (word.wait(seen, until) || steady_clock::now() < until) continue;
    if (may_leave && leave(request)) return finish(request);
    may_leave = false;
  }
}

/// Takes a request whose deadline passed out of its group. false: a leader has taken the group.
bool Publisher::leave(PublishRequest& request) {
  const Lock lock(mutex_);
  PublishGroup& group = *request.group;
  if (group.taken) return false;
  std::erase(group.requests, &request);
  group.messages -= request.messages.size();
  group.bytes -= request.bytes();
  waiting_messages_ -= request.messages.size();
  waiting_bytes_ -= request.bytes();
  room_.notify_all();
  for (std::size_t i = 0; i < request.messages.size(); ++i) {
    if (request.progress()[i].final) continue;
    request.refuse(i, Errc::timeout,
                   "earlier messages to \"" + queue_ +
                       "\" were still under way at the deadline; nothing was sent");
  }
  if (group.requests.empty()) {
    std::erase(groups_, request.group);
  } else if (request.front.load()) {
    group.requests.front()->front.store(true);
    group.changed.increment();
    group.changed.wake_all();
  }
  return true;
}

/// Lets the next group's front lead, or nobody if no one waits.
void Publisher::pass_on() {
  std::shared_ptr<PublishGroup> next;
  {
    const Lock lock(mutex_);
    if (groups_.empty()) {
      leading_ = false;
      ended_.notify_all();
      return;
    }
    next = std::move(groups_.front());
    groups_.pop_front();
    next->taken = true;
    waiting_messages_ -= next->messages;
    waiting_bytes_ -= next->bytes;
    room_.notify_all();
  }
  promote(*next->requests.front(), next);
}

void Publisher::promote(PublishRequest& front, const std::shared_ptr<PublishGroup>& group) {
  if (front.asynchronous()) return async_.lead(*this, group, at_once);
  front.state.store(PublishRequest::leading, std::memory_order_release);
  group->promotion.increment();
  group->promotion.wake_all();
}

void Publisher::lead_group(const std::shared_ptr<PublishGroup>& group) {
  lead(std::move(group->requests), group.get(), nullptr);
}

void Publisher::rerouted() {
  const Lock lock(mutex_);
  no_more_pause_.notify_all();
}

bool Publisher::idle() {
  const Lock lock(mutex_);
  return !leading_; // and then no group waits either
}

bool Publisher::drain(Deadline deadline) {
  const Lock lock(mutex_);
  closed_ = true;
  room_.notify_all();
  while (leading_) {
    if (ended_.wait_until(mutex_, deadline) || steady_clock::now() < deadline) continue;
    give_up_ = true;
    no_more_pause_.notify_all();
    async_.hurry();
    // The plugin keeps the deadline of the call under way, and with it this wait.
    while (leading_) ended_.wait_until(mutex_, steady_clock::now() + std::chrono::hours(1));
    return false;
  }
  return true;
}

} // namespace swapmq::queue
