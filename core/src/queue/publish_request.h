// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "plugin/session.h"
#include "queue/backoff.h"
#include "queue/futex.h"
#include "queue/uuid7.h"
#include "swapmq/swapmq.hpp"

namespace swapmq::queue {

using plugin::Deadline;

struct PublishGroup;

/// Where one message of a request stands.
struct MessageProgress {
  bool final = false;
  bool ever_in_doubt = false; ///< then only a confirm ends the doubt
  Outcome outcome = Outcome::failed;
  // Why it is not confirmed, as of the last attempt.
  Errc code = Errc::ok;
  bool retryable = false;
  std::string text;
};

/// One call of publish: its messages, and how far they got. Made on the caller's stack (or owned by
/// the asynchronous publisher); the leader of its group works on it until `state` is finished.
class PublishRequest {
 public:
  enum State : std::uint32_t { waiting, leading, finished };

  PublishRequest(std::span<const Message> what, std::chrono::milliseconds timeout);
  PublishRequest(const PublishRequest&) = delete;
  PublishRequest& operator=(const PublishRequest&) = delete;
  virtual ~PublishRequest() = default;

  [[nodiscard]] std::string_view id(std::size_t i) const {
    return messages[i].id.empty() ? ids_[i].view() : messages[i].id;
  }
  [[nodiscard]] std::span<MessageProgress> progress() const { return progress_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }
  /// Ends message i without another attempt; an empty `why` leaves what the last one said.
  void refuse(std::size_t i, Errc code, std::string why);
  [[nodiscard]] bool all_final() const;
  [[nodiscard]] Sent sent(std::size_t i) const;
  /// An asynchronous request has no thread that waits for it.
  [[nodiscard]] virtual bool asynchronous() const { return false; }

  const std::span<const Message> messages;
  const Deadline started;
  const Deadline deadline;
  std::int64_t timestamp_ms;     ///< unix, of the call
  std::uint64_t checked_for = 0; ///< the serial number of the side whose limits it keeps

  std::atomic<State> state{waiting};
  std::atomic<bool> front{false};      ///< will lead its group
  std::shared_ptr<PublishGroup> group; ///< joined; null while leading alone

 private:
  std::span<MessageProgress> progress_;
  std::span<MessageId> ids_;
  std::size_t bytes_ = 0;
  MessageProgress one_progress_;
  MessageId one_id_{};
  std::vector<MessageProgress> many_progress_;
  std::vector<MessageId> many_ids_;
};

/// Requests that travel together. While it is open, it belongs to the publisher's lock; once taken,
/// to its leader.
struct PublishGroup {
  std::vector<PublishRequest*> requests;
  std::size_t messages = 0, bytes = 0;
  bool taken = false;
  Backoff backoff; ///< of its leader
  // Two words, so that waking the front does not wake everybody. They live here and not in a
  // request, which may be gone as soon as its thread has seen its state.
  Futex promotion; ///< where the front sleeps
  Futex changed;   ///< where the others sleep
};

} // namespace swapmq::queue
