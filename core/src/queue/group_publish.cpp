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

/// What became of messages that go to all groups at once.
class Gathering {
 public:
  Gathering(std::size_t messages, std::size_t groups, AsyncPublisher::Done done)
      : left_(groups), messages_(messages), done_(std::move(done)) {}

  void add(const std::string& group, std::span<const Sent> sent) SWAPMQ_EXCLUDES(mutex_) {
    std::vector<Sent> outcomes;
    {
      const Lock lock(mutex_);
      for (std::size_t i = 0; i < messages_.size(); ++i) messages_[i].add(group, sent[i]);
      if (--left_ > 0 || !done_) return;
      outcomes.reserve(messages_.size());
      for (const OneMessage& message : messages_) outcomes.push_back(message.outcome());
    }
    done_(outcomes);
  }

 private:
  class OneMessage {
   public:
    void add(const std::string& group, const Sent& sent) {
      if (sent) {
        confirmed_ = sent;
        return;
      }
      all_failed_ = all_failed_ && sent.outcome() == Outcome::failed;
      if (!trouble_) trouble_.emplace(group, sent);
    }
    [[nodiscard]] Sent outcome() const {
      if (!trouble_) return *confirmed_;
      if (all_failed_ && !confirmed_) return trouble_->second;
      return half_sent(trouble_->first, trouble_->second);
    }

   private:
    std::optional<Sent> confirmed_;
    std::optional<std::pair<std::string, Sent>> trouble_; ///< the first
    bool all_failed_ = true;
  };

  Mutex mutex_;
  std::size_t left_ SWAPMQ_GUARDED_BY(mutex_); // groups
  std::vector<OneMessage> messages_ SWAPMQ_GUARDED_BY(mutex_);
  const AsyncPublisher::Done done_;
};

std::vector<Sent> refused(std::span<const Message> messages, const Error& why) {
  std::vector<Sent> sent;
  sent.reserve(messages.size());
  for (const Message& message : messages) sent.emplace_back(Outcome::failed, message.id, why);
  return sent;
}

/// Of several messages to one group: one Sent for each.
std::vector<Sent> publish_to(detail::Runtime& runtime, const std::string& group,
                             std::span<const Message> messages, milliseconds timeout) {
  const auto publisher = runtime.publisher(group);
  if (!publisher) return refused(messages, publisher.error());
  PublishRequest request(messages, timeout);
  (*publisher)->publish(request);
  std::vector<Sent> sent;
  sent.reserve(messages.size());
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
                             std::span<const Message> messages, AsyncPublisher::Done done,
                             milliseconds timeout) {
  const WithIds all(messages);
  const auto gathering =
      std::make_shared<Gathering>(messages.size(), groups.size(), std::move(done));
  for (const std::string& group : groups) {
    const auto add = [gathering, group](std::span<const Sent> sent) {
      gathering->add(group, sent);
    };
    if (const auto publisher = runtime.publisher(group)) {
      runtime.async().submit(**publisher, all.messages(), add, timeout);
    } else {
      add(refused(all.messages(), publisher.error()));
    }
  }
}

} // namespace swapmq::queue
