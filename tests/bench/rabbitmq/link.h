// SPDX-License-Identifier: MIT
//
// A raw client's connection: librabbitmq, with one channel.
#pragma once

#include <amqp.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "../../live/rabbitmq/rabbitmq_setup.hpp"

namespace bench {

inline amqp_bytes_t bytes(std::string_view text) {
  return {text.size(), const_cast<char*>(text.data())};
}
inline std::string_view text(amqp_bytes_t bytes) {
  return {static_cast<const char*>(bytes.bytes), bytes.len};
}

constexpr amqp_channel_t channel = 1;

class Link {
 public:
  using Place = swapmq::live::RabbitmqOptions;

  /// To where the queues are of the type that the options name.
  explicit Link(const Place& place);
  /// Returns when the broker has done all that it was told.
  ~Link();
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  /// Makes a queue as the plugin does.
  void declare(std::string_view queue);
  struct Counts {
    std::uint32_t ready, consumers;
  };
  Counts look(std::string_view queue);
  void remove(std::string_view queue);

  void select_confirms();
  void consume(std::string_view queue, std::uint16_t prefetch, bool acks);

  /// Waits for a frame of the channel.
  void read(amqp_frame_t& frame);
  /// Whether there was one.
  bool read_if_there(amqp_frame_t& frame);
  /// Of what was received and is not read, whether there may be a frame.
  [[nodiscard]] bool has_more() const;
  /// A delivery's content after its method; calls take(properties), and returns the body's size.
  template <class Take>
  std::size_t read_content(const Take& take);
  /// Lets go of what was read. Between messages only.
  void release() { amqp_maybe_release_buffers(state_); }
  [[nodiscard]] amqp_connection_state_t state() const { return state_; }

 private:
  void open(const Place& place);
  void check_rpc(const char* what);

  amqp_connection_state_t state_;
  const std::string queue_type_;
};

/// Throws unless a function of librabbitmq succeeded.
void check(int status, const char* what);

template <class Take>
std::size_t Link::read_content(const Take& take) {
  amqp_frame_t frame;
  read(frame);
  const std::size_t size = frame.payload.properties.body_size;
  take(*static_cast<const amqp_basic_properties_t*>(frame.payload.properties.decoded));
  for (std::size_t here = 0; here < size;) {
    read(frame);
    here += frame.payload.body_fragment.len;
  }
  return size;
}

} // namespace bench
