// SPDX-License-Identifier: MIT
#include "publisher.h"

#include <amqp_framing.h>

#include <stdexcept>

namespace bench {
namespace {

// A look for confirms is a system call or two where none is there.
constexpr std::size_t look_every = 16;
// How far the confirms of single messages may be out of order, in windows.
constexpr std::size_t ring = 4;

} // namespace

Publisher::Publisher(Link& link, std::size_t window)
    : link_(link), window_(window), confirmed_(ring * window) {
  link_.select_confirms();
  header_.key = bytes("x-swapmq-timestamp-ms");
  header_.value.kind = AMQP_FIELD_KIND_I64;
  properties_._flags = AMQP_BASIC_HEADERS_FLAG | AMQP_BASIC_DELIVERY_MODE_FLAG |
                       AMQP_BASIC_MESSAGE_ID_FLAG | AMQP_BASIC_TIMESTAMP_FLAG;
  properties_.headers = {1, &header_};
  properties_.delivery_mode = AMQP_DELIVERY_PERSISTENT;
}

void Publisher::begin(std::string_view queue, std::string_view body) {
  queue_ = queue;
  body_ = body;
  link_.declare(queue);
}

void Publisher::publish(const Id& id, std::int64_t now_ms) {
  while (in_flight_ == window_ || next_ - lowest_ == confirmed_.size()) await_one();
  properties_.message_id = bytes(text(id));
  properties_.timestamp = static_cast<std::uint64_t>(now_ms) / 1000;
  header_.value.value.i64 = now_ms;
  constexpr amqp_boolean_t mandatory = 1, immediate = 0;
  check(amqp_basic_publish(link_.state(), channel, amqp_empty_bytes, bytes(queue_), mandatory,
                           immediate, &properties_, bytes(body_)),
        "publish");
  confirmed_[next_++ % confirmed_.size()] = 0;
  ++in_flight_;
  if (++since_looked_ >= look_every) take_what_is_there();
}

void Publisher::finish() {
  while (in_flight_ > 0) await_one();
  link_.release();
}

void Publisher::await_one() {
  amqp_frame_t frame;
  link_.read(frame);
  take(frame);
  while (link_.has_more() && link_.read_if_there(frame)) take(frame);
  link_.release();
  since_looked_ = 0;
}

void Publisher::take_what_is_there() {
  amqp_frame_t frame;
  while (link_.read_if_there(frame)) take(frame);
  link_.release();
  since_looked_ = 0;
}

void Publisher::take(const amqp_frame_t& frame) {
  if (frame.frame_type != AMQP_FRAME_METHOD || frame.payload.method.id != AMQP_BASIC_ACK_METHOD) {
    throw std::runtime_error("RabbitMQ did not confirm a message");
  }
  const auto& ack = *static_cast<const amqp_basic_ack_t*>(frame.payload.method.decoded);
  confirmed(ack.delivery_tag, ack.multiple != 0);
}

void Publisher::confirmed(std::uint64_t tag, bool multiple) {
  for (std::uint64_t each = multiple ? lowest_ : tag; each <= tag; ++each) confirm(each);
  while (lowest_ < next_ && confirmed_[lowest_ % confirmed_.size()] != 0) ++lowest_;
}

void Publisher::confirm(std::uint64_t tag) {
  std::uint8_t& done = confirmed_[tag % confirmed_.size()];
  if (done == 0) --in_flight_;
  done = 1;
}

} // namespace bench
