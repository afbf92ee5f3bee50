// SPDX-License-Identifier: MIT
#include "frames.hpp"

#include <cstring>
#include <string>

#include "network/failures.hpp"

namespace swapmq::rabbitmq {
namespace {

// Room for the longest frame and as much again, so that reads are large.
constexpr std::size_t kBlock = 2 * FrameReader::kMaxFrame;
// Less room than that is not worth a read.
constexpr std::size_t kLeastRoom = 8 * 1024;

uint32_t number_at(const char* bytes, int count) {
  uint32_t value = 0;
  for (int i = 0; i < count; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

} // namespace

amqp_method_number_t Frame::method() const {
  if (type != kMethodFrame || payload.size() < 4) return 0;
  return number_at(payload.data(), 4);
}

std::string_view Frame::fields() const { return payload.size() < 4 ? "" : payload.substr(4); }

FrameReader::FrameReader() : block_(std::make_shared<Block>(kBlock)) {}

std::span<char> FrameReader::room() {
  const std::size_t rest = end_ - at_;
  if (!kept_ && rest == 0) {
    at_ = end_ = 0;
  } else if (block_->size - end_ < kLeastRoom || block_->size - at_ < frame_max_) {
    // The rest moves to where a whole frame has room.
    if (kept_) {
      auto next = std::make_shared<Block>(kBlock);
      std::memcpy(next->bytes.get(), block_->bytes.get() + at_, rest);
      block_ = std::move(next);
      kept_ = false;
    } else {
      std::memmove(block_->bytes.get(), block_->bytes.get() + at_, rest);
    }
    at_ = 0;
    end_ = rest;
  }
  return {block_->bytes.get() + end_, block_->size - end_};
}

bool FrameReader::next(Frame& frame) {
  const std::size_t there = end_ - at_;
  if (there < kFrameHead) return false;
  const char* head = block_->bytes.get() + at_;
  const std::size_t size = number_at(head + 3, 4);
  if (size > frame_max_ - kFrameOverhead) {
    throw network::ConnectionLost("RabbitMQ sent a frame of " + std::to_string(size) +
                                  " bytes, more than was agreed on");
  }
  if (there < size + kFrameOverhead) return false;
  if (head[kFrameHead + size] != kFrameEnd) {
    throw network::ConnectionLost("RabbitMQ sent a frame without its end");
  }
  frame.type = static_cast<uint8_t>(head[0]);
  frame.channel = static_cast<uint16_t>(number_at(head + 1, 2));
  frame.payload = {head + kFrameHead, size};
  at_ += size + kFrameOverhead;
  return true;
}

} // namespace swapmq::rabbitmq
