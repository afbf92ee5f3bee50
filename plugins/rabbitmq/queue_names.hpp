// SPDX-License-Identifier: MIT
//
// The names of queues at the broker. RabbitMQ drops line breaks of a name and wants UTF-8 where a
// queue is a quorum queue; a queue's name here is any bytes, so some of them are written as %XX.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace swapmq::rabbitmq {

constexpr std::size_t kMaxQueueName = 190;
// With its prefix: the names of its delay queues are longer, and have 255 bytes at most.
constexpr std::size_t kMaxNameAtBroker = 225;
constexpr std::string_view kOwnNames = "swapmq."; // names that begin so are ours

/// The name at the broker, prefix included. Throws Failure(INVALID_ARGUMENT) if there can be none.
std::string name_at_broker(std::string_view name, std::string_view prefix);

/// The other way; nothing if it is none of ours to be used as a queue.
std::optional<std::string> name_from_broker(std::string_view at_broker, std::string_view prefix);

/// Where messages for the queue wait for so many milliseconds.
std::string delay_queue_name(std::string_view at_broker, uint64_t delay_ms);

} // namespace swapmq::rabbitmq
