// SPDX-License-Identifier: MIT
#include "queue/publish_request.h"

#include <algorithm>
#include <utility>

#include "queue/clock.h"

namespace swapmq::queue {
namespace {

std::size_t bytes_of(const Message& message) {
  std::size_t bytes = message.body.size() + message.id.size() + message.ordering_key.size();
  for (const Header& header : message.headers) bytes += header.name.size() + header.value.size();
  return bytes + 64;
}

} // namespace

PublishRequest::PublishRequest(std::span<const Message> what, std::chrono::milliseconds timeout)
    : messages(what),
      started(std::chrono::steady_clock::now()),
      deadline(started + bounded(timeout)),
      timestamp_ms(unix_now_ms()) {
  if (messages.size() == 1) {
    progress_ = {&one_progress_, 1};
    ids_ = {&one_id_, 1};
  } else {
    many_progress_.resize(messages.size());
    many_ids_.resize(messages.size());
    progress_ = many_progress_;
    ids_ = many_ids_;
  }
  for (std::size_t i = 0; i < messages.size(); ++i) {
    if (messages[i].id.empty()) ids_[i] = make_message_id(timestamp_ms);
    bytes_ += bytes_of(messages[i]);
  }
}

void PublishRequest::refuse(std::size_t i, Errc code, std::string why) {
  MessageProgress& message = progress_[i];
  message.final = true;
  message.outcome = message.ever_in_doubt ? Outcome::in_doubt : Outcome::failed;
  message.code = code;
  if (why.empty()) return;
  message.text = std::move(why);
  message.retryable = code == Errc::timeout;
}

bool PublishRequest::all_final() const {
  return std::all_of(progress_.begin(), progress_.end(), [](const auto& m) { return m.final; });
}

Sent PublishRequest::sent(std::size_t i) const {
  const MessageProgress& message = progress_[i];
  if (message.outcome == Outcome::confirmed) return {Outcome::confirmed, id(i), {}};
  return {message.outcome, id(i), Error(message.code, message.text, message.retryable)};
}

} // namespace swapmq::queue
