// SPDX-License-Identifier: MIT
#include "confirms.hpp"

#include "connection.hpp"
#include "network/failures.hpp"

namespace swapmq::rabbitmq {

using network::ConnectionLost;

void Confirms::surprised() {
  throw ConnectionLost("RabbitMQ confirmed a message that was not sent");
}

/// What is answered then would not be known to have been returned.
void Confirms::interrupted() {
  throw ConnectionLost("RabbitMQ sent a method in the middle of a message that it returns");
}

Confirms::Answer Confirms::read(const Frame& frame) {
  // AMQP 0-9-1 with RabbitMQ's extension: a number, and a bit for all up to it.
  const std::string_view fields = frame.fields();
  if (fields.size() < 9) throw ConnectionLost("RabbitMQ sent a confirm that cannot be read");
  uint64_t tag = 0;
  for (std::size_t i = 0; i < 8; ++i) tag = tag << 8 | static_cast<unsigned char>(fields[i]);
  return {tag, (fields[8] & 1) != 0, frame.method() == AMQP_BASIC_ACK_METHOD};
}

bool Confirms::take_return(const Frame& frame) {
  if (frame.method() == AMQP_BASIC_RETURN_METHOD) {
    if (is_returning()) interrupted();
    returning_ = true;
    return true;
  }
  if (frame.type == kHeaderFrame && returning_) {
    returning_ = false;
    returned_body_left_ = body_size_of(frame.payload);
    mark_returned(message_id_of(frame.payload));
    return true;
  }
  if (frame.type == kBodyFrame && returned_body_left_ > 0) {
    if (frame.payload.size() > returned_body_left_) {
      throw ConnectionLost("RabbitMQ returned more of a message than there is");
    }
    returned_body_left_ -= frame.payload.size();
    return true;
  }
  return false;
}

/// Returns come in the order of publishing, so of two with the same id it is the first.
void Confirms::mark_returned(std::string_view id) {
  for (std::size_t i = lowest_; i < all_.size(); ++i) {
    Sent& sent = all_[i];
    if (sent.done || sent.returned || sent.id != id) continue;
    sent.returned = true;
    return;
  }
  // Of an earlier call, which no longer waits.
}

} // namespace swapmq::rabbitmq
