// SPDX-License-Identifier: MIT
#include "queue/group_publish.h"

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "queue/clock.h"
#include "queue/publish_request.h"
#include "queue/runtime.h"
#include "queue/uuid7.h"
#include "thread_safety.h"

namespace swapmq::queue {

using std::chrono::steady_clock;

namespace {

/// The messages with ids, which those without get here, once for all groups.
class WithIds {
 public:
  explicit WithIds(std::span<const Message> messages)
      : messages_(messages.begin(), messages.end()) {
    for (Message& message : messages_) {
      if (!message.id.empty()) continue;
      message.id = made_.emplace_back(make_message_id(unix_now_ms())).view();
    }
  }
  [[nodiscard]] std::span<const Message> messages() const { return messages_; }

 private:
  std::vector<Message> messages_;
  std::deque<MessageId> made_; // stable addresses
};

/// Some group has it, or may have it, and another has not.
Sent half_sent(const std::string& group, const Sent& sent) {
  const Error& why = sent.error();
  return {Outcome::in_doubt, sent.id(),
          Error(why.code(), group + ": " + why.message() + "; other groups may have the message",
                why.retryable())};
}

/// What became of one message that goes to all groups at once.
class Gathering {
 public:
  Gathering(std::size_t groups, std::function<void(Sent)> done)
      : left_(groups), done_(std::move(done)) {}

  void add(const std::string& group, const Sent& sent) SWAPMQ_EXCLUDES(mutex_) {
    std::optional<Sent> outcome;
    {
      const Lock lock(mutex_);
      if (sent) {
        confirmed_ = sent;
      } else {
        all_failed_ = all_failed_ && sent.outcome() == Outcome::failed;
        if (!worst_) worst_.emplace(group, sent);
      }
      if (--left_ == 0) outcome = result();
    }
    if (outcome && done_) done_(std::move(*outcome));
  }

 private:
  [[nodiscard]] Sent result() const SWAPMQ_REQUIRES(mutex_) {
    if (!worst_) return *confirmed_;
    if (all_failed_ && !confirmed_) return worst_->second;
    return half_sent(worst_->first, worst_->second);
  }

  Mutex mutex_;
  std::size_t left_ SWAPMQ_GUARDED_BY(mutex_);
  std::optional<Sent> confirmed_ SWAPMQ_GUARDED_BY(mutex_);
  std::optional<std::pair<std::string, Sent>> worst_ SWAPMQ_GUARDED_BY(mutex_);
  bool all_failed_ SWAPMQ_GUARDED_BY(mutex_) = true;
  const std::function<void(Sent)> done_;
};

Sent refused(const Message& message, const Error& why) {
  return {Outcome::failed, message.id, why};
}

/// Of several messages to one group: one Sent for each.
std::vector<Sent> publish_to(detail::Runtime& runtime, const std::string& group,
                             std::span<const Message> messages, milliseconds timeout) {
  std::vector<Sent> sent;
  sent.reserve(messages.size());
  const auto publisher = runtime.publisher(group);
  if (!publisher) {
    for (const Message& message : messages) sent.push_back(refused(message, publisher.error()));
    return sent;
  }
  PublishRequest request(messages, timeout);
  (*publisher)->publish(request);
  for (std::size_t i = 0; i < messages.size(); ++i) sent.push_back(request.sent(i));
  return sent;
}

milliseconds left_until(Deadline deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - steady_clock::now());
  return std::max(left, milliseconds(0));
}

} // namespace

std::vector<Sent> publish_to_groups(detail::Runtime& runtime, const GroupQueues& groups,
                                    std::span<const Message> messages, milliseconds timeout) {
  const Deadline deadline = deadline_after(timeout);
  const WithIds all(messages);
  std::vector<Message> left(all.messages().begin(), all.messages().end());
  std::vector<std::size_t> places(left.size()); // of those that are left, among all
  for (std::size_t i = 0; i < places.size(); ++i) places[i] = i;
  std::vector<Sent> outcomes(left.size());
  for (const std::string& group : groups) {
    std::vector<Sent> sent = publish_to(runtime, group, left, left_until(deadline));
    std::size_t kept = 0;
    for (std::size_t i = 0; i < sent.size(); ++i) {
      const bool first = &group == &groups.front();
      Sent& outcome = outcomes[places[i]];
      outcome = sent[i] || first ? std::move(sent[i]) : half_sent(group, sent[i]);
      if (!outcome) continue;
      left[kept] = left[i];
      places[kept++] = places[i];
    }
    left.resize(kept);
    places.resize(kept);
    if (left.empty()) break;
  }
  return outcomes;
}

void publish_to_groups_async(detail::Runtime& runtime, const GroupQueues& groups,
                             const Message& message, std::function<void(Sent)> done,
                             milliseconds timeout) {
  const WithIds one({&message, 1});
  const auto gathering = std::make_shared<Gathering>(groups.size(), std::move(done));
  for (const std::string& group : groups) {
    const auto add = [gathering, group](const Sent& sent) { gathering->add(group, sent); };
    if (const auto publisher = runtime.publisher(group)) {
      runtime.async().submit(**publisher, one.messages().front(), add, timeout);
    } else {
      add(refused(one.messages().front(), publisher.error()));
    }
  }
}

} // namespace swapmq::queue
