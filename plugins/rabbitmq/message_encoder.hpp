// SPDX-License-Identifier: MIT
//
// A message as basic.publish and its content: method, header and body frames.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "output.hpp"
#include "swapmq/backend.hpp"

namespace swapmq::rabbitmq {

// Of one message, names and values. In a delay queue the names are there twice.
constexpr uint64_t kMaxHeadersBytes = 48 * 1024;
constexpr uint32_t kMaxHeaderCount = 1024;
constexpr uint64_t kMaxExpiration_ms = 4294967295; // the broker's own limit for a property

/// What a message has besides what it was published with.
struct Returned {
  uint32_t nacks = 0;        // counted here
  int64_t not_before_ms = 0; // unix; 0: message.due_at_ms holds
};

/// When it may be delivered; unix ms, 0: now.
inline int64_t due_ms(const swapmq_message& message, const Returned& returned) {
  return returned.not_before_ms != 0 ? returned.not_before_ms : message.due_at_ms;
}

/// A basic.publish to the default exchange, mandatory (AMQP 0-9-1, 1.8.3.7), as a whole frame.
std::string publish_frame(uint16_t channel, std::string_view routing_key);

/// Where a message goes.
struct Address {
  std::string_view frame; // of publish_frame()
  uint16_t channel;
  bool moved_later; // by the broker, from a delay queue
};

/// Appends the message. False, and nothing appended: its properties do not fit into a frame of
/// which `spare` bytes stay free.
bool append_message(Output& out, const Address& address, const swapmq_message& message,
                    const Returned& returned, std::size_t frame_max, std::size_t spare = 0);

} // namespace swapmq::rabbitmq
