// SPDX-License-Identifier: MIT
//
// When to connect again: exponential backoff with jitter between attempts that fail, and a pause
// after a connection that did not last. Knows no protocol.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "wake.hpp"

namespace swapmq::network {

struct RetryOptions {
  uint32_t max_retry_attempts = 3; // within one call, after the first
  std::chrono::milliseconds retry_delay{100};
  std::chrono::milliseconds max_retry_delay{5000};
};

/// Used by one thread at a time.
class Reconnect {
 public:
  /// `retry` must outlive this.
  explicit Reconnect(const RetryOptions& retry) : retry_(retry) {}

  /// A call begins to connect; `server` is for messages.
  void begin(std::string server);
  /// Until the next attempt is due. Throws what the last one failed with if the deadline comes
  /// first; Interrupted if `wake`, which may be null, is raised.
  void await_turn(backend::Deadline deadline, const Wake* wake) const;
  /// An attempt failed. Whether the call should make another one. Throws what the one before failed
  /// with, if this one ran out of time.
  [[nodiscard]] bool failed(const backend::Failure& failure, backend::Deadline deadline);
  /// An attempt did not fail. Whether there was a connection before.
  bool connected() noexcept;
  /// The server's doing ended the connection: if that was early, there is a pause before the next.
  void broke() noexcept;

 private:
  void pause(std::chrono::milliseconds delay);

  const RetryOptions& retry_;
  std::string server_;
  uint32_t attempts_ = 0; // of the call
  bool connected_before_ = false;
  uint32_t failures_ = 0;   // in a row
  bool lost_early_ = false; // the last one, as soon as it was made
  backend::Deadline::Clock::time_point made_at_{};
  std::optional<backend::Failure> last_failure_;
  backend::Deadline::Clock::time_point not_before_{};
};

} // namespace swapmq::network
