// SPDX-License-Identifier: MIT
#include "requests.hpp"

namespace swapmq::rabbitmq {

using backend::Deadline;

Closing end_channel(Connection& connection, const Frame& close) {
  Closing closing = closing_of(close);
  connection.channel(close.channel) = {};
  connection.out().method(close.channel, AMQP_CHANNEL_CLOSE_OK_METHOD, amqp_channel_close_ok_t{});
  connection.push();
  return closing;
}

void take_stray(Connection& connection, const Frame& frame) {
  if (frame.method() == AMQP_CHANNEL_CLOSE_METHOD) end_channel(connection, frame);
}

Frame await_answer(Connection& connection, uint16_t channel, amqp_method_number_t expected,
                   Deadline deadline) {
  for (;;) {
    const Frame frame = connection.read(deadline);
    if (frame.channel != channel) {
      take_stray(connection, frame);
    } else if (frame.method() == expected) {
      return frame;
    } else if (frame.method() == AMQP_CHANNEL_CLOSE_METHOD) {
      throw ChannelClosed(connection.endpoint(), end_channel(connection, frame));
    }
    // Else confirms or returns of a publish that nobody awaits any more.
  }
}

void open_channel(Connection& connection, uint16_t channel, Deadline deadline) {
  if (connection.channel(channel).open) return;
  request<amqp_channel_open_ok_t>(connection, channel, AMQP_CHANNEL_OPEN_METHOD,
                                  amqp_channel_open_t{}, AMQP_CHANNEL_OPEN_OK_METHOD, deadline);
  connection.channel(channel) = {true, 0, next_serial()};
}

void open_publish_channel(Connection& connection, Deadline deadline) {
  if (connection.channel(kPublishChannel).open) return;
  open_channel(connection, kPublishChannel, deadline);
  connection.channel(kPublishChannel).open = false; // not before it confirms
  request<amqp_confirm_select_ok_t>(connection, kPublishChannel, AMQP_CONFIRM_SELECT_METHOD,
                                    amqp_confirm_select_t{}, AMQP_CONFIRM_SELECT_OK_METHOD,
                                    deadline);
  connection.channel(kPublishChannel).open = true;
}

} // namespace swapmq::rabbitmq
