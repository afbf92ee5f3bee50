// SPDX-License-Identifier: MIT
//
// Frames to be sent, one behind the other. AMQP 0-9-1, 2.3.5 (frames) and 4.2 (their grammar):
// a type, a channel, a size, a payload of that size, and the octet 0xCE.
#pragma once

#include <amqp.h>
#include <amqp_framing.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "swapmq/backend.hpp"

namespace swapmq::rabbitmq {

constexpr uint8_t kMethodFrame = AMQP_FRAME_METHOD;
constexpr uint8_t kHeaderFrame = AMQP_FRAME_HEADER;
constexpr uint8_t kBodyFrame = AMQP_FRAME_BODY;
constexpr uint8_t kHeartbeatFrame = AMQP_FRAME_HEARTBEAT;
constexpr char kFrameEnd = static_cast<char>(AMQP_FRAME_END);
constexpr std::size_t kFrameHead = 7;                  // type, channel, size
constexpr std::size_t kFrameOverhead = kFrameHead + 1; // and the octet at its end
constexpr std::size_t kMaxShortString = 255;

inline amqp_bytes_t amqp_bytes(std::string_view text) {
  return {text.size(), const_cast<char*>(text.data())};
}
inline std::string_view view(const amqp_bytes_t& bytes) {
  return {static_cast<const char*>(bytes.bytes), bytes.len};
}

class Output {
 public:
  [[nodiscard]] const std::string& bytes() const { return bytes_; }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  void clear() { bytes_.clear(); }
  void drop_front(std::size_t count) { bytes_.erase(0, count); }
  void cut(std::size_t size) { bytes_.resize(size); }

  Output& raw(std::string_view bytes) {
    bytes_.append(bytes);
    return *this;
  }
  Output& u8(uint8_t value) {
    bytes_.push_back(static_cast<char>(value));
    return *this;
  }
  Output& u16(uint16_t value) { return number(value); }
  Output& u32(uint32_t value) { return number(value); }
  Output& u64(uint64_t value) { return number(value); }
  /// At most kMaxShortString bytes.
  Output& short_string(std::string_view text) {
    return u8(static_cast<uint8_t>(text.size())).raw(text);
  }
  Output& long_string(std::string_view text) {
    return u32(static_cast<uint32_t>(text.size())).raw(text);
  }

  /// Begins a frame; gives what end_frame() wants.
  std::size_t begin_frame(uint8_t type, uint16_t channel) {
    const std::size_t at = bytes_.size();
    u8(type).u16(channel).u32(0);
    return at;
  }
  void end_frame(std::size_t begun) {
    set_u32(begun + 3, static_cast<uint32_t>(bytes_.size() - begun - kFrameHead));
    bytes_.push_back(kFrameEnd);
  }
  void set_u32(std::size_t at, uint32_t value) {
    for (int i = 3; i >= 0; --i, value >>= 8) {
      bytes_[at + static_cast<std::size_t>(i)] = static_cast<char>(value & 0xff);
    }
  }

  /// A method by the library's encoder; `fields` is the struct that belongs to `method`.
  template <class Fields>
  void method(uint16_t channel, amqp_method_number_t method, Fields fields) {
    const std::size_t begun = begin_frame(kMethodFrame, channel);
    u32(method);
    encode(method, &fields);
    end_frame(begun);
  }

 private:
  template <class Number>
  Output& number(Number value) {
    char out[sizeof value];
    for (std::size_t i = sizeof value; i-- > 0; value = static_cast<Number>(value >> 8)) {
      out[i] = static_cast<char>(value & 0xff);
    }
    bytes_.append(out, sizeof out);
    return *this;
  }

  void encode(amqp_method_number_t method, void* fields) {
    // More than any method of ours takes: their longest strings are names and a password.
    constexpr std::size_t kMost = 32 * 1024;
    const std::size_t at = bytes_.size();
    bytes_.resize(at + kMost);
    const int size = amqp_encode_method(method, fields, {kMost, bytes_.data() + at});
    bytes_.resize(at + (size > 0 ? static_cast<std::size_t>(size) : 0));
    if (size < 0) {
      throw backend::Failure(
          SWAPMQ_INVALID_ARGUMENT,
          std::string("RabbitMQ: a request cannot be encoded: ") + amqp_error_string2(size));
    }
  }

  std::string bytes_;
};

} // namespace swapmq::rabbitmq
