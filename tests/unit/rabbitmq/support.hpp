// SPDX-License-Identifier: MIT
//
// Frames and messages for tests.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "frames.hpp"
#include "message_decoder.hpp"
#include "message_encoder.hpp"
#include "network/arena.hpp"
#include "output.hpp"
#include "swapmq/backend.hpp"

namespace swapmq::rabbitmq {

/// A frame with the memory that it is in.
struct OwnedFrame {
  uint8_t type = 0;
  uint16_t channel = 0;
  std::string payload;

  [[nodiscard]] Frame frame() const { return {type, channel, payload}; }
  bool operator==(const OwnedFrame&) const = default;
};

/// The bytes as frames. Fails the test if they are not whole ones.
std::vector<OwnedFrame> frames_of(std::string_view bytes);

template <class Fields>
OwnedFrame method_frame(amqp_method_number_t method, const Fields& fields, uint16_t channel = 1) {
  Output out;
  out.method(channel, method, fields);
  return frames_of(out.bytes()).at(0);
}

/// Memory of librabbitmq's decoder.
class Pool {
 public:
  Pool() { init_amqp_pool(&pool_, 4096); }
  ~Pool() { empty_amqp_pool(&pool_); }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  /// The properties of a content header, as the library reads them; null if it does not.
  const amqp_basic_properties_t* properties(std::string_view header);
  /// The fields of a method, as the library reads them.
  template <class Fields>
  const Fields& fields(const OwnedFrame& frame) {
    void* fields = nullptr;
    EXPECT_EQ(amqp_decode_method(frame.frame().method(), &pool_, amqp_bytes(frame.frame().fields()),
                                 &fields),
              AMQP_STATUS_OK);
    return *static_cast<const Fields*>(fields);
  }

 private:
  amqp_pool_t pool_{};
};

/// A table of AMQP, field by field, whatever their types.
class Table {
 public:
  /// `value`: what follows the letter of the kind.
  Table& field(std::string_view name, char kind, std::string_view value) {
    out_.short_string(name).u8(static_cast<uint8_t>(kind)).raw(value);
    return *this;
  }
  Table& text(std::string_view name, std::string_view value) {
    Output long_string;
    long_string.long_string(value);
    return field(name, 'S', long_string.bytes());
  }
  Table& number(std::string_view name, int64_t value) {
    Output number;
    number.u64(static_cast<uint64_t>(value));
    return field(name, 'l', number.bytes());
  }
  [[nodiscard]] const std::string& fields() const { return out_.bytes(); }
  /// With its length before it.
  [[nodiscard]] std::string bytes() const {
    Output whole;
    whole.long_string(fields());
    return whole.bytes();
  }

 private:
  Output out_;
};

/// A content header: `flags` and what the properties are.
std::string content_header(uint16_t flags, std::string_view properties, uint64_t body_size = 0);
/// One that has nothing but headers.
std::string content_header(const Table& table);

/// What came of decoding, with the memory that it is in.
struct Read {
  std::string bytes;
  std::unique_ptr<network::Arena> arena;
  Decoded decoded;

  [[nodiscard]] const swapmq_message& message() const { return *decoded.message; }
  [[nodiscard]] bool good() const { return decoded.good; }
  [[nodiscard]] std::string header(std::string_view name) const;
  /// Names and values.
  [[nodiscard]] std::vector<std::pair<std::string, std::string>> headers() const;
};
Read read_header(std::string header);

/// A message as it is sent: basic.publish, the content header, what the body is in.
std::vector<OwnedFrame> sent(const swapmq_message& message, const Returned& returned = {},
                             bool moved_later = false,
                             std::size_t frame_max = FrameReader::kMaxFrame);

/// The content header as it is after a broker moved it from a delay queue: with headers of its own,
/// in the order of their names.
std::string moved(std::string_view header);

/// Fails the test unless they are the same but for the body.
void expect_same(const swapmq_message& one, const swapmq_message& other);

/// A message, and the texts that it is made of.
class Sample {
 public:
  Sample();
  explicit Sample(uint32_t seed); // a random one
  Sample(const Sample&) = delete;
  Sample& operator=(const Sample&) = delete;

  swapmq_message message{};

  swapmq_bytes text(std::string value) {
    return backend::bytes(*texts_.emplace_back(std::make_unique<std::string>(std::move(value))));
  }
  void add_header(std::string name, std::string value);

 private:
  uint32_t below(uint32_t limit) { return static_cast<uint32_t>(random_() % limit); }
  swapmq_bytes bytes(std::size_t least, std::size_t most);
  swapmq_bytes maybe_text() { return below(2) == 0 ? swapmq_bytes{} : bytes(1, 600); }
  int64_t maybe_time();
  std::string name();

  std::mt19937_64 random_;
  std::vector<std::unique_ptr<std::string>> texts_;
  std::vector<swapmq_header> headers_;
};

} // namespace swapmq::rabbitmq
