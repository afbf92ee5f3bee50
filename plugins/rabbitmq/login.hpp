// SPDX-License-Identifier: MIT
//
// The handshake of AMQP 0-9-1 (4.2.2, 1.4): protocol header, start, tune, open.
#pragma once

#include <string>

#include "connection.hpp"
#include "options.hpp"

namespace swapmq::rabbitmq {

/// Throws Failure with what an operator can do about it; without RETRYABLE it is no use to try
/// again with the same options.
void log_in(Connection& connection, const Broker& broker, const std::string& name,
            std::chrono::seconds heartbeat, backend::Deadline deadline);

} // namespace swapmq::rabbitmq
