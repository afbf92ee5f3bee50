// SPDX-License-Identifier: MIT
//
// Frames of a stream of bytes, wherever the reads cut it.
#include "frames.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "network/failures.hpp"
#include "support.hpp"

namespace swapmq::rabbitmq {
namespace {

using network::ConnectionLost;

constexpr std::size_t kBlock = 2 * FrameReader::kMaxFrame;

std::string frame_bytes(uint8_t type, uint16_t channel, std::string_view payload) {
  Output out;
  const std::size_t begun = out.begin_frame(type, channel);
  out.raw(payload).end_frame(begun);
  return out.bytes();
}

std::string bytes_of(const std::vector<OwnedFrame>& frames) {
  std::string bytes;
  for (const OwnedFrame& frame : frames) {
    bytes += frame_bytes(frame.type, frame.channel, frame.payload);
  }
  return bytes;
}

/// Takes some bytes in; they must have room.
void feed(FrameReader& reader, std::string_view bytes) {
  const std::span<char> room = reader.room();
  ASSERT_GE(room.size(), bytes.size());
  std::copy_n(bytes.data(), bytes.size(), room.data());
  reader.filled(bytes.size());
}

void take(FrameReader& reader, std::vector<OwnedFrame>& frames) {
  Frame frame;
  while (reader.next(frame)) {
    frames.push_back({frame.type, frame.channel, std::string(frame.payload)});
  }
}

std::vector<OwnedFrame> small_frames() {
  return {{kMethodFrame, 1, "\x0a\x0b\x0c\x0d fields"},
          {kHeartbeatFrame, 0, ""},
          {kHeaderFrame, 65535, std::string(14, '\0')},
          {kBodyFrame, 2, std::string(3, kFrameEnd)},
          {kHeartbeatFrame, 0, ""},
          {255, 0x1234, "\x01"}};
}

TEST(FrameReader, EverySplitIntoThreeReadsGivesTheSame) {
  const std::vector<OwnedFrame> frames = small_frames();
  const std::string bytes = bytes_of(frames);
  for (std::size_t first = 0; first <= bytes.size(); ++first) {
    for (std::size_t second = first; second <= bytes.size(); ++second) {
      FrameReader reader;
      std::vector<OwnedFrame> got;
      for (const auto& [from, to] : {std::pair{std::size_t{0}, first}, std::pair{first, second},
                                     std::pair{second, bytes.size()}}) {
        feed(reader, std::string_view(bytes).substr(from, to - from));
        take(reader, got);
      }
      ASSERT_EQ(got, frames) << first << " " << second;
      ASSERT_EQ(reader.rest(), "");
    }
  }
}

TEST(FrameReader, EveryFrameIsThereAsSoonAsItIsWhole) {
  const std::vector<OwnedFrame> frames = small_frames();
  FrameReader reader;
  for (const OwnedFrame& expected : frames) {
    const std::string bytes = frame_bytes(expected.type, expected.channel, expected.payload);
    Frame frame;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      ASSERT_FALSE(reader.next(frame));
      EXPECT_EQ(reader.rest(), bytes.substr(0, i));
      feed(reader, std::string_view(bytes).substr(i, 1));
    }
    ASSERT_TRUE(reader.next(frame));
    EXPECT_EQ((OwnedFrame{frame.type, frame.channel, std::string(frame.payload)}), expected);
  }
}

/// Reads of random sizes, of which some do not take out all frames; some frames' blocks are kept.
void read_randomly(uint32_t seed) {
  std::mt19937 random(seed);
  const auto below = [&](std::size_t limit) { return static_cast<std::size_t>(random() % limit); };
  std::vector<OwnedFrame> frames;
  for (int i = 0; i < 150; ++i) {
    const std::size_t most = below(4) == 0 ? FrameReader::kMaxFrame - kFrameOverhead : 300;
    const std::size_t size = below(10) == 0 ? most : below(most + 1);
    frames.push_back({static_cast<uint8_t>(below(256)), static_cast<uint16_t>(below(65536)),
                      std::string(size, static_cast<char>(i))});
  }
  struct Kept {
    std::shared_ptr<Block> block;
    std::string_view payload;
    std::size_t number;
  };
  std::vector<Kept> kept;
  const std::string bytes = bytes_of(frames);
  FrameReader reader;
  Frame frame;
  std::size_t at = 0;
  std::size_t number = 0;
  while (number < frames.size()) {
    const std::span<char> room = reader.room();
    const std::size_t most = below(2) == 0 ? room.size() : below(2000);
    const std::size_t count = std::min({room.size(), most, bytes.size() - at});
    std::copy_n(bytes.data() + at, count, room.data());
    reader.filled(count);
    at += count;
    for (std::size_t left = 1 + below(50); left > 0 && reader.next(frame); --left, ++number) {
      ASSERT_EQ((OwnedFrame{frame.type, frame.channel, std::string(frame.payload)}),
                frames[number]);
      if (below(5) == 0) kept.push_back({reader.keep(), frame.payload, number});
    }
    if (below(8) == 0 && !kept.empty()) kept.erase(kept.begin());
  }
  EXPECT_EQ(at, bytes.size());
  for (const Kept& one : kept) {
    ASSERT_TRUE(one.payload == frames[one.number].payload);
    EXPECT_TRUE(one.payload.data() >= one.block->bytes.get() &&
                one.payload.data() + one.payload.size() <=
                    one.block->bytes.get() + one.block->size);
  }
}

TEST(FrameReader, WhatIsKeptStaysAsItWas) {
  for (uint32_t seed = 0; seed < 40; ++seed) {
    read_randomly(seed);
    if (testing::Test::HasFailure()) FAIL() << "seed " << seed;
  }
}

/// Fills a block but for `left` bytes, keeps it or not, and has one more frame over its edge.
void over_the_edge(std::size_t left, bool keep) {
  FrameReader reader;
  std::vector<OwnedFrame> frames;
  const std::size_t first = FrameReader::kMaxFrame - kFrameOverhead;
  frames.push_back({kBodyFrame, 1, std::string(first, 'a')});
  frames.push_back({kBodyFrame, 1, std::string(first - left, 'b')});
  frames.push_back({kBodyFrame, 1, std::string(first, 'c')});
  const std::string bytes = bytes_of(frames);
  std::size_t at = 0;
  std::vector<OwnedFrame> got;
  Frame frame;
  std::string_view payload;
  std::shared_ptr<Block> kept;
  while (at < bytes.size()) {
    const std::span<char> room = reader.room();
    ASSERT_FALSE(room.empty());
    const std::size_t count = std::min(room.size(), bytes.size() - at);
    std::copy_n(bytes.data() + at, count, room.data());
    reader.filled(count);
    at += count;
    if (at == kBlock) { // then only the first is taken, and kept
      ASSERT_TRUE(reader.next(frame));
      payload = frame.payload;
      got.push_back({frame.type, frame.channel, std::string(frame.payload)});
      if (keep) kept = reader.keep();
    }
    take(reader, got);
  }
  ASSERT_EQ(got.size(), 3U);
  EXPECT_TRUE(got == frames);
  if (keep) {
    EXPECT_TRUE(payload == frames[0].payload);
  }
}

TEST(FrameReader, AFrameMayLieOverTheEdgeOfABlock) {
  for (std::size_t left = 0; left < 20; ++left) {
    over_the_edge(left, false);
    over_the_edge(left, true);
  }
}

TEST(FrameReader, WithoutRoomThereAreFramesToTake) {
  FrameReader reader;
  const std::string heartbeat = frame_bytes(kHeartbeatFrame, 0, "");
  std::size_t at = 0;
  while (true) {
    const std::span<char> room = reader.room();
    if (room.empty()) break;
    for (std::size_t i = 0; i < room.size(); ++i) room[i] = heartbeat[at++ % heartbeat.size()];
    reader.filled(room.size());
  }
  EXPECT_EQ(at, kBlock);
  Frame frame;
  std::size_t count = 0;
  while (reader.next(frame)) ++count;
  EXPECT_EQ(count, kBlock / heartbeat.size());
  EXPECT_FALSE(reader.room().empty());
}

TEST(FrameReader, ABlockThatNobodyKeepsIsUsedAgain) {
  FrameReader reader;
  const char* first = reader.room().data();
  Frame frame;
  for (int i = 0; i < 3; ++i) {
    feed(reader, frame_bytes(kBodyFrame, 1, std::string(1000, 'x')));
    ASSERT_TRUE(reader.next(frame));
    EXPECT_EQ(reader.room().data(), first);
  }
  feed(reader, frame_bytes(kBodyFrame, 1, std::string(1000, 'x')));
  ASSERT_TRUE(reader.next(frame));
  const std::shared_ptr<Block> kept = reader.keep();
  EXPECT_GE(reader.room().data(), frame.payload.data() + frame.payload.size());
  // Nor does one that was kept once cost those after it.
  const std::string large = frame_bytes(kBodyFrame, 1, std::string(100'000, 'x'));
  const char* last = nullptr;
  for (int i = 0; i < 8; ++i) {
    feed(reader, large);
    ASSERT_TRUE(reader.next(frame));
    const char* const block = reader.room().data();
    if (i >= 6) {
      EXPECT_EQ(block, last);
    }
    last = block;
  }
  EXPECT_NE(last, kept->bytes.get());
}

TEST(FrameReader, RefusesAFrameWithoutItsEnd) {
  for (const char end : {'\0', '\xcd', '\xcf', '\x7f'}) {
    FrameReader reader;
    std::string bytes = frame_bytes(kBodyFrame, 1, "good") + frame_bytes(kBodyFrame, 1, "bad");
    bytes.back() = end;
    feed(reader, bytes);
    Frame frame;
    ASSERT_TRUE(reader.next(frame));
    EXPECT_EQ(frame.payload, "good");
    EXPECT_THROW(reader.next(frame), ConnectionLost);
    EXPECT_THROW(reader.next(frame), ConnectionLost);
  }
}

TEST(FrameReader, RefusesAFrameThatIsTooLongByItsHead) {
  for (const std::size_t limit : {std::size_t{4096}, FrameReader::kMaxFrame}) {
    FrameReader reader;
    reader.limit(limit);
    Frame frame;
    feed(reader, frame_bytes(kBodyFrame, 1, std::string(limit - kFrameOverhead, 'x')));
    ASSERT_TRUE(reader.next(frame));
    EXPECT_EQ(frame.payload.size(), limit - kFrameOverhead);
    feed(reader, frame_bytes(kBodyFrame, 1, std::string(limit, 'x')).substr(0, kFrameHead));
    EXPECT_THROW(reader.next(frame), ConnectionLost);
  }
  for (const char* size : {"\xff\xff\xff\xff", "\x80\x00\x00\x01", "\x00\x01\xff\xf9"}) {
    FrameReader reader;
    feed(reader, std::string("\x01\x00\x01", 3) + std::string(size, 4));
    Frame frame;
    EXPECT_THROW(reader.next(frame), ConnectionLost);
  }
}

TEST(FrameReader, MethodsHaveANumberAndFields) {
  const std::string ack("\x00\x3c\x00\x50rest", 8);
  EXPECT_EQ((Frame{kMethodFrame, 1, ack}).method(), uint32_t{AMQP_BASIC_ACK_METHOD});
  EXPECT_EQ((Frame{kMethodFrame, 1, ack}).fields(), "rest");
  EXPECT_EQ((Frame{kMethodFrame, 1, std::string_view(ack).substr(0, 4)}).fields(), "");
  EXPECT_EQ((Frame{kMethodFrame, 1, std::string_view(ack).substr(0, 3)}).method(), 0U);
  EXPECT_EQ((Frame{kMethodFrame, 1, std::string_view(ack).substr(0, 3)}).fields(), "");
  EXPECT_EQ((Frame{kBodyFrame, 1, ack}).method(), 0U);
  EXPECT_EQ((Frame{kHeaderFrame, 1, ack}).method(), 0U);
}

} // namespace
} // namespace swapmq::rabbitmq
