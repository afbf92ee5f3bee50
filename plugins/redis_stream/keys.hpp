// SPDX-License-Identifier: MIT
//
// The names of a queue's keys at the server. Those of our own hash to the cluster slot of its
// stream.
#pragma once

#include <string>
#include <string_view>

#include "options.hpp"

namespace swapmq::redis {

/// All keys of one queue.
struct QueueKeys {
  /// Throws Failure(INVALID_ARGUMENT) for a name that cannot be one.
  QueueKeys(std::string_view name, const Options& options);

  /// The sign of life of a consumer.
  [[nodiscard]] std::string alive(std::string_view consumer) const {
    return own + ":alive:" + std::string(consumer);
  }
  /// Remembers a message id for the deduplication window.
  [[nodiscard]] std::string seen(std::string_view id) const {
    return own + ":id:" + std::string(id);
  }

  std::string stream;    // stream: the messages
  std::string group;     // (a name, not a key) the consumer group of the stream
  std::string own;       // what the keys below begin with
  std::string due;       // sorted set: entries that came back, by when they may be delivered
  std::string scheduled; // sorted set: entries of `later`, by when they are due
  std::string later;     // stream: messages that were published with a delay
  std::string expiry;    // sorted set: entries that expire, by when
  std::string claimed;   // sorted set: what is claimed before its time, by when it is due
};

/// What all keys begin with that are no queue's stream.
inline constexpr std::string_view kOwnKeys = "swapmq:";

/// The consumer that holds, in the group's pending list, what came back and waits for its time.
inline constexpr std::string_view kReturned = "swapmq:returned";

} // namespace swapmq::redis
