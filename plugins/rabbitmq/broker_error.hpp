// SPDX-License-Identifier: MIT
//
// What the broker's reply codes mean (AMQP 0-9-1, 1.2), and how they are told.
#pragma once

#include <string>
#include <string_view>

#include "connection.hpp"
#include "network/failures.hpp"

namespace swapmq::rabbitmq {

/// Whatever came, made fit for one line of an error.
std::string one_line(std::string_view text);

/// The broker ended a channel.
class ChannelClosed : public backend::Failure {
 public:
  ChannelClosed(const network::Endpoint& endpoint, const Closing& closing);
  [[nodiscard]] const Closing& closing() const { return closing_; }

 private:
  Closing closing_;
};

/// The broker ended the connection.
network::ConnectionLost connection_closed(const network::Endpoint& endpoint,
                                          const Closing& closing);

/// "... inequivalent arg 'NAME' for queue ...": NAME; empty if it is about something else.
std::string_view inequivalent_argument(std::string_view text);

/// "message size N is larger than configured max size M": M; 0 if it is about something else.
uint64_t configured_max_size(std::string_view text);

} // namespace swapmq::rabbitmq
