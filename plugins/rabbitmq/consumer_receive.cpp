// SPDX-License-Identifier: MIT
//
// Receiving: the broker pushes, so there is nothing to ask for. What is not due is held, or sent on
// to a delay queue; what has expired is acked.
#include <algorithm>
#include <utility>

#include "broker_error.hpp"
#include "consumer.hpp"
#include "declare.hpp"
#include "rabbit_batch.hpp"
#include "requests.hpp"
#include "session.hpp"

namespace swapmq::rabbitmq {
namespace {

using backend::Deadline;
using backend::Failure;
using backend::Received;
using network::ConnectionLost;
using network::Interrupted;

// Between two attempts to send on what is not due.
constexpr milliseconds kSendOnEvery(1000);

// In one call, of becoming a consumer.
constexpr int kMostFailures = 3;

} // namespace

Received Consumer::receive(Call& call) {
  const bool poked = context_.wake.take();
  const bool may_wait = !poked && !call.args.deadline.passed();
  asked_at_ = Clock::now();
  // To become a consumer again takes time also where the call has none: of a broker on a busy
  // machine more than a second.
  const Deadline attach_by =
      network::at_least(call.args.deadline, context_.dialer.options().connection_timeout);
  for (int failures = 0;;) {
    try {
      await_healing(call.args.deadline, &context_.wake);
      attach(attach_by, &context_.wake);
      begin_pushing(attach_by);
      take_in();
      keep_alive(context_.control, context_.host);
      if (is_attached()) tend(call.deadline);
      if (is_attached()) look_whether_starved(attach_by);
      if (auto batch = hand_out(call.args)) return {std::move(batch), false};
      if (!may_wait) return {nullptr, poked};
      if (call.args.deadline.passed()) return {};
      if (is_attached()) wait(call);
    } catch (const Interrupted&) {
      if (!context_.wake.lower()) continue; // of one that was answered before
      return {nullptr, true};
    } catch (const ConnectionLost& failure) {
      // The broker ends the connection of who consumes from a quorum queue that it is just making
      // for somebody else.
      lost(failure);
      if (!may_wait || call.args.deadline.passed() || ++failures > kMostFailures) throw;
    }
  }
}

/// With one active consumer that may be another one, and it is not known which.
bool Consumer::may_starve() const {
  return pushing_ && tags_.held() == 0 && !queue_.routes().queue().arguments.single_active_consumer;
}

/// A quorum queue that is made again at the moment of its deletion may keep a consumer of the old
/// one without passing anything on to it, and without a word. So where messages are ready twice in
/// a row and nothing comes, this becomes a consumer anew.
void Consumer::look_whether_starved(Deadline deadline) {
  if (!may_starve() || Clock::now() < look_at_) return;
  look_at_ = Clock::now() + kLookEvery;
  uint64_t ready = 0;
  try {
    ready = over(context_.control, deadline, [&](Connection& control) {
              return look_at(control, queue_.routes().queue().queue, deadline);
            }).ready;
  } catch (const Failure& failure) {
    context_.host.log(SWAPMQ_LOG_DEBUG, failure.what()); // of a queue that is gone we are told
    return;
  }
  if (ready > 0 && starving_) {
    context_.host.count("queues_lost");
    context_.host.log(SWAPMQ_LOG_WARN, "RabbitMQ keeps the messages of the queue \"" +
                                           queue_.routes().queue().queue +
                                           "\" from its consumer, which is made anew");
    link_.drop();
    lose_all();
  }
  starving_ = ready > 0;
}

void Consumer::wait(const Call& call) {
  try {
    link_.live()->wait(network::deadline_at(next_event(call)), &context_.wake);
  } catch (const ConnectionLost& failure) {
    lost(failure); // and there will be another one
  }
}

/// What is to be done with what came before any of it is handed out.
void Consumer::tend(Deadline deadline) {
  std::vector<TagSettlement> acks;
  if (any_expires_) drop_expired(acks);
  if (!early_.empty()) {
    hold_until_due();
    send_on(acks, deadline);
  }
  if (acks.empty() || attached_to_ == 0) return;
  for (const TagSettlement& ack : acks) tags_.settling(ack.tag);
  append(acks);
  for (const TagSettlement& ack : acks) tags_.settled(ack.tag);
}

void Consumer::drop_expired(std::vector<TagSettlement>& acks) {
  const int64_t now_ms = backend::unix_now_ms();
  const auto expired = [&](const Waiting& waiting) {
    const int64_t expires_ms = waiting.message->expires_at_ms;
    if (expires_ms == 0 || expires_ms > now_ms) return false;
    acks.push_back({waiting.tag, Settle::ack});
    return true;
  };
  std::erase_if(waiting_, expired);
  std::erase_if(early_, expired);
}

/// What has become due joins those that wait, in its order.
void Consumer::hold_until_due() {
  const int64_t now_ms = backend::unix_now_ms();
  std::sort(early_.begin(), early_.end(),
            [](const Waiting& a, const Waiting& b) { return a.due_ms() < b.due_ms(); });
  auto at = early_.begin();
  for (; at != early_.end() && at->due_ms() <= now_ms; ++at) waiting_.push_back(std::move(*at));
  early_.erase(early_.begin(), at);
}

/// What is not due soon goes to a delay queue, so that it takes no room from others.
void Consumer::send_on(std::vector<TagSettlement>& acks, Deadline deadline) {
  if (Clock::now() < send_on_at_) return;
  const int64_t from_ms = backend::unix_now_ms() + kShortestDelay_ms;
  std::vector<Letter> letters;
  std::vector<uint64_t> tags;
  for (const Waiting& waiting : early_) {
    if (waiting.due_ms() < from_ms) continue;
    letters.push_back({waiting.message, &queue_.routes(), waiting.returned, false});
    tags.push_back(waiting.tag);
  }
  if (letters.empty()) return;
  std::vector<swapmq_publish_result> results(letters.size());
  try {
    publish_letters(context_.control, context_.dialer, letters,
                    {results.data(), results.size(), sizeof results[0]}, deadline);
  } catch (const Failure& failure) {
    send_on_at_ = Clock::now() + kSendOnEvery;
    context_.host.log(SWAPMQ_LOG_WARN, failure.what());
  }
  for (std::size_t i = 0; i < letters.size(); ++i) {
    if (results[i].outcome != SWAPMQ_PUBLISH_CONFIRMED) continue;
    acks.push_back({tags[i], Settle::ack});
    std::erase_if(early_, [&](const Waiting& waiting) { return waiting.tag == tags[i]; });
  }
}

Consumer::Clock::time_point Consumer::next_event(const Call& call) const {
  Clock::time_point next = call.args.deadline.at();
  if (may_starve()) next = std::min(next, look_at_);
  Connection* const control = context_.control.live();
  if (control != nullptr) next = std::min(next, control->next_beat());
  const int64_t now_ms = backend::unix_now_ms();
  for (const Waiting& waiting : early_) {
    const int64_t left = waiting.due_ms() - now_ms;
    const bool held = left < kShortestDelay_ms;
    next = std::min(next, held ? Clock::now() + milliseconds(std::max<int64_t>(left, 0))
                               : std::max(Clock::now(), send_on_at_));
  }
  return next;
}

std::unique_ptr<backend::Batch> Consumer::claim_delayed(const backend::ClaimArgs& args) {
  const Deadline deadline =
      network::at_least(args.deadline, context_.dialer.options().settle_grace);
  return claimer_.claim(args, room_beside_claims(), deadline);
}

/// How much more may be handed out: what is pushed and was not is no part of that.
std::size_t Consumer::room_beside_claims() const {
  const std::size_t handed_out = tags_.held() - waiting_.size() - early_.size();
  const std::size_t held = handed_out + claimer_.held();
  return prefetch_ > held ? prefetch_ - held : 0;
}

/// Null if nothing waits, or there is no room beside what is claimed. Without claims the host
/// counts better: what it acked and the broker has not confirmed takes no room. Nothing here may
/// fail once something is taken from waiting_.
std::unique_ptr<backend::Batch> Consumer::hand_out(const backend::ExchangeArgs& args) {
  const std::size_t room = claimer_.held() > 0 ? room_beside_claims() : args.max_messages;
  const std::size_t most = std::min(args.max_messages, room);
  if (waiting_.empty() || most == 0) return nullptr;
  auto batch = std::make_unique<RabbitBatch>();
  batch->reserve(std::min(waiting_.size(), most));
  uint64_t bytes = 0;
  while (!waiting_.empty() && batch->size() < most) {
    Waiting& next = waiting_.front();
    bytes += next.message->body.size;
    if (args.max_bytes != 0 && batch->size() > 0 && bytes > args.max_bytes) break;
    batch->keep(std::move(next.header));
    batch->keep(std::move(next.body));
    batch->add(next.message, tags_.receipt(next.tag).bytes(), next.deliveries(), next.flags);
    waiting_.pop_front();
  }
  return batch;
}

} // namespace swapmq::rabbitmq
