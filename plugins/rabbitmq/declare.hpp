// SPDX-License-Identifier: MIT
//
// Making queues (AMQP 0-9-1, 1.7.2.1 with RabbitMQ's x- arguments).
#pragma once

#include "connection.hpp"
#include "routes.hpp"

namespace swapmq::rabbitmq {

/// What queue.declare-ok says.
struct Declared {
  uint32_t ready = 0;
  uint32_t consumers = 0;
};

/// Makes the queue of `route` unless it is known to exist. Throws ChannelClosed (CONFLICT, with the
/// broker's words: both arguments) if it exists with others that matter here.
void ensure_exists(Connection& connection, Route& route, backend::Deadline deadline);

/// What is there of a queue. Throws ChannelClosed (NOT_FOUND).
Declared look_at(Connection& connection, const std::string& queue, backend::Deadline deadline);

} // namespace swapmq::rabbitmq
