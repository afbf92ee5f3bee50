// SPDX-License-Identifier: MIT
#include "link.h"

#include <amqp_framing.h>
#include <amqp_tcp_socket.h>
#include <sys/time.h>

#include <array>
#include <stdexcept>

namespace bench {
namespace {

[[noreturn]] void fail(const char* what, std::string_view why) {
  throw std::runtime_error("RabbitMQ, " + std::string(what) + ": " + std::string(why));
}

} // namespace

void check(int status, const char* what) {
  if (status != AMQP_STATUS_OK) fail(what, amqp_error_string2(status));
}

Link::Link(const Place& place) : state_(amqp_new_connection()), queue_type_(place.queue_type) {
  try {
    open(place);
  } catch (...) {
    amqp_destroy_connection(state_);
    throw;
  }
}

Link::~Link() {
  amqp_channel_close(state_, channel, AMQP_REPLY_SUCCESS); // answered after all that came before
  amqp_connection_close(state_, AMQP_REPLY_SUCCESS);
  amqp_destroy_connection(state_);
}

void Link::open(const Place& place) {
  constexpr int longest_frame = 131072;
  amqp_socket_t* socket = amqp_tcp_socket_new(state_);
  if (socket == nullptr) fail("connect", "no memory");
  check(amqp_socket_open(socket, place.host.c_str(), place.port), "connect");
  const amqp_rpc_reply_t reply =
      amqp_login(state_, place.virtual_host.c_str(), 0, longest_frame, 0, AMQP_SASL_METHOD_PLAIN,
                 place.username.c_str(), place.password.c_str());
  if (reply.reply_type != AMQP_RESPONSE_NORMAL) fail("log in", "refused");
  amqp_channel_open(state_, channel);
  check_rpc("open a channel");
}

void Link::check_rpc(const char* what) {
  const amqp_rpc_reply_t reply = amqp_get_rpc_reply(state_);
  if (reply.reply_type == AMQP_RESPONSE_NORMAL) return;
  if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION) check(reply.library_error, what);
  if (reply.reply.id == AMQP_CHANNEL_CLOSE_METHOD) {
    fail(what, text(static_cast<amqp_channel_close_t*>(reply.reply.decoded)->reply_text));
  }
  fail(what, "refused");
}

void Link::declare(std::string_view queue) {
  constexpr std::int64_t most_deliveries = 2147483647;
  std::array<amqp_table_entry_t, 2> entries{};
  entries[0].key = bytes("x-queue-type");
  entries[0].value.kind = AMQP_FIELD_KIND_UTF8;
  entries[0].value.value.bytes = bytes(queue_type_);
  entries[1].key = bytes("x-delivery-limit");
  entries[1].value.kind = AMQP_FIELD_KIND_I64;
  entries[1].value.value.i64 = most_deliveries;
  const amqp_table_t arguments{queue_type_ == "quorum" ? 2 : 1, entries.data()};
  amqp_queue_declare(state_, channel, bytes(queue), 0, 1, 0, 0, arguments);
  check_rpc("make a queue");
}

Link::Counts Link::look(std::string_view queue) {
  const auto* ok = amqp_queue_declare(state_, channel, bytes(queue), 1, 0, 0, 0, amqp_empty_table);
  check_rpc("look at a queue");
  return {ok->message_count, ok->consumer_count};
}

void Link::remove(std::string_view queue) {
  amqp_queue_delete(state_, channel, bytes(queue), 0, 0);
  check_rpc("delete a queue");
}

void Link::select_confirms() {
  amqp_confirm_select(state_, channel);
  check_rpc("select confirms");
}

void Link::consume(std::string_view queue, std::uint16_t prefetch, bool acks) {
  amqp_basic_qos(state_, channel, 0, prefetch, 0);
  check_rpc("set the prefetch");
  amqp_basic_consume(state_, channel, bytes(queue), amqp_empty_bytes, 0, acks ? 0 : 1, 0,
                     amqp_empty_table);
  check_rpc("consume");
}

void Link::read(amqp_frame_t& frame) {
  check(amqp_simple_wait_frame(state_, &frame), "read");
  if (frame.channel != channel) fail("read", "the connection was closed or blocked");
}

bool Link::read_if_there(amqp_frame_t& frame) {
  const timeval now{};
  const int status = amqp_simple_wait_frame_noblock(state_, &frame, &now);
  if (status == AMQP_STATUS_TIMEOUT) return false;
  check(status, "read");
  if (frame.channel != channel) fail("read", "the connection was closed or blocked");
  return true;
}

bool Link::has_more() const {
  return amqp_frames_enqueued(state_) != 0 || amqp_data_in_buffer(state_) != 0;
}

} // namespace bench
