// SPDX-License-Identifier: MIT
//
// Requests that have an answer, one at a time. On a connection for publishing and administration
// there are two channels, so that an administrator's mistake, which costs its channel, leaves the
// other one alone.
#pragma once

#include "broker_error.hpp"
#include "connection.hpp"

namespace swapmq::rabbitmq {

constexpr uint16_t kPublishChannel = 1; // of a control connection
constexpr uint16_t kAdminChannel = 2;   // the same
constexpr uint16_t kConsumeChannel = 1; // of a consumer's connection

/// Sends nothing by itself: awaits the answer of what is in out(). Frames of other channels are
/// dropped, but for the end of a channel. Throws ChannelClosed if the broker closes `channel`,
/// ConnectionLost, Failure(TIMEOUT).
Frame await_answer(Connection& connection, uint16_t channel, amqp_method_number_t expected,
                   backend::Deadline deadline);

template <class Reply, class Fields>
const Reply& request(Connection& connection, uint16_t channel, amqp_method_number_t method,
                     const Fields& fields, amqp_method_number_t answer,
                     backend::Deadline deadline) {
  connection.out().method(channel, method, fields);
  return fields_of<Reply>(await_answer(connection, channel, answer, deadline));
}

/// Opens the channel if it is not open.
void open_channel(Connection& connection, uint16_t channel, backend::Deadline deadline);
/// The same for kPublishChannel, in confirm mode.
void open_publish_channel(Connection& connection, backend::Deadline deadline);

/// What to do with a frame that nobody waits for: if the broker ends its channel, so do we.
void take_stray(Connection& connection, const Frame& frame);

/// Answers channel.close.
Closing end_channel(Connection& connection, const Frame& close);

} // namespace swapmq::rabbitmq
