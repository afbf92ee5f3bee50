// SPDX-License-Identifier: MIT
//
// Frames as they arrive. They are read where they are received; what a delivery shows of them is
// not copied, and keeps the block that it is in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "network/arena.hpp"
#include "output.hpp"

namespace swapmq::rabbitmq {

struct Frame {
  uint8_t type = 0;
  uint16_t channel = 0;
  std::string_view payload; // valid until the next room(), or as long as its block is kept

  /// Of a method frame: class and method; 0 if it has none.
  [[nodiscard]] amqp_method_number_t method() const;
  /// Of a method frame: what follows.
  [[nodiscard]] std::string_view fields() const;
};

/// Bytes that were received, and what was decoded of them.
struct Block {
  explicit Block(std::size_t capacity) : bytes(new char[capacity]), size(capacity), arena(4096) {}

  const std::unique_ptr<char[]> bytes;
  const std::size_t size;
  network::Arena arena;
};

class FrameReader {
 public:
  FrameReader();

  /// No payload and its frame may be longer; at most kMaxFrame.
  void limit(std::size_t frame_max) { frame_max_ = frame_max; }
  static constexpr std::size_t kMaxFrame = 131072;

  /// Where to receive to. Empty: nothing of what was received was taken.
  std::span<char> room();
  void filled(std::size_t count) { end_ += count; }
  /// The next whole frame of what was received. Throws ConnectionLost if that is no frame.
  bool next(Frame& frame);
  /// What the last frame is in. Whoever keeps it may go on using the frame's payload.
  const std::shared_ptr<Block>& keep() {
    kept_ = true;
    return block_;
  }
  /// What was received and is no whole frame yet, for a look at what is no AMQP.
  [[nodiscard]] std::string_view rest() const { return {block_->bytes.get() + at_, end_ - at_}; }

 private:
  std::shared_ptr<Block> block_;
  bool kept_ = false; // somebody else has block_, or had it
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  std::size_t frame_max_ = kMaxFrame;
};

} // namespace swapmq::rabbitmq
