// SPDX-License-Identifier: MIT
#include "rabbitmq_target.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "broker_error.hpp"
#include "confirms.hpp"
#include "connection.hpp"
#include "frames.hpp"
#include "message_decoder.hpp"
#include "message_encoder.hpp"
#include "network/failures.hpp"

namespace swapmq::fuzz {
namespace {

using backend::view;
using network::ConnectionLost;
using rabbitmq::Block;
using rabbitmq::Confirms;
using rabbitmq::Decoded;
using rabbitmq::Frame;
using rabbitmq::FrameReader;

constexpr std::size_t kMostInput = FrameReader::kMaxFrame;
constexpr std::size_t kFrameMax = 4096; // the least that AMQP allows: more frames are too long
constexpr std::size_t kMessages = 4;    // that Confirms thinks were sent
constexpr uint64_t kFirstTag = 3;

void demand(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "rabbitmq: %s\n", what);
  std::abort();
}

void check_line(std::string_view line) {
  for (const char c : line) {
    demand(static_cast<unsigned char>(c) >= 0x20, "an error holds a control character");
  }
}

bool is_within(std::string_view part, std::string_view whole) {
  return std::greater_equal<>()(part.data(), whole.data()) &&
         std::less_equal<>()(part.data() + part.size(), whole.data() + whole.size());
}

// ---- frames -------------------------------------------------------------------------------------

/// A frame that is looked at again after all others came.
struct Kept {
  std::shared_ptr<Block> block;
  std::string_view payload;
  std::string copy;
};

struct Read {
  std::vector<std::string> frames; // type, channel, payload
  bool refused = false;
  std::string rest;
  bool operator==(const Read&) const = default;
};

/// All frames of the bytes. Every `keeps`th keeps its block.
Read read_frames(std::string_view bytes, std::size_t piece, std::size_t keeps) {
  FrameReader reader;
  reader.limit(kFrameMax);
  Read read;
  std::vector<Kept> kept;
  try {
    while (!bytes.empty()) {
      const std::span<char> room = reader.room();
      demand(!room.empty(), "there is no room once all frames are taken");
      const std::size_t size = std::min({room.size(), piece, bytes.size()});
      std::copy_n(bytes.data(), size, room.data());
      reader.filled(size);
      bytes.remove_prefix(size);
      Frame frame;
      while (reader.next(frame)) {
        demand(frame.payload.size() <= kFrameMax - rabbitmq::kFrameOverhead, "a frame is too long");
        read.frames.push_back(std::to_string(frame.type) + "," + std::to_string(frame.channel) +
                              "," + std::string(frame.payload));
        if (read.frames.size() % keeps != 0) continue;
        kept.push_back({reader.keep(), frame.payload, std::string(frame.payload)});
        const Block& block = *kept.back().block;
        demand(is_within(frame.payload, {block.bytes.get(), block.size}),
               "a frame is not in its block");
      }
    }
    read.rest = reader.rest();
  } catch (const ConnectionLost& lost) {
    check_line(lost.what());
    read.refused = true;
  }
  for (const Kept& one : kept) demand(one.payload == one.copy, "a frame that was kept is another");
  return read;
}

// ---- messages -----------------------------------------------------------------------------------

/// Memory of its own size, so that sanitizers see what reads beyond it.
class Exactly {
 public:
  explicit Exactly(std::string_view bytes) : memory_(new char[bytes.size()]), size_(bytes.size()) {
    std::copy(bytes.begin(), bytes.end(), memory_.get());
  }
  [[nodiscard]] std::string_view bytes() const { return {memory_.get(), size_}; }

 private:
  const std::unique_ptr<char[]> memory_;
  const std::size_t size_;
};

void check_message(const Decoded& decoded, std::string_view header) {
  const swapmq_message& message = *decoded.message;
  demand(message.id.size <= 255, "an id longer than 255 bytes");
  demand(message.priority <= 9, "a priority above 9");
  demand(message.body.size == 0, "a header with a body");
  demand(message.header_count <= header.size() / 2 + 6, "more headers than there is room for");
  demand((message.header_count == 0) == (message.headers == nullptr), "headers without a count");
  bool says_why = false;
  const backend::Headers headers = backend::headers_of(message);
  std::string all; // so that each byte is read
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const std::string_view name = view(headers[i].name);
    demand(!name.empty() && name.size() <= 255, "a header without a name");
    says_why = says_why || name == SWAPMQ_UNDECODABLE_HEADER;
    all += std::string(name) + std::string(view(headers[i].value));
  }
  demand(decoded.good || says_why, "a message is undecodable, and nothing says why");
  for (const swapmq_bytes& bytes : {message.id, message.ordering_key, message.correlation_id,
                                    message.reply_to, message.content_type}) {
    demand(bytes.size == 0 || is_within(view(bytes), header), "a field is not in the frame");
    all += view(bytes);
  }
}

/// What was decoded is sent as a message that is decoded to the same.
void check_round_trip(const Decoded& decoded, bool moved_later) {
  const swapmq_message& message = *decoded.message;
  rabbitmq::Output out;
  // Longer than what it was decoded from: JSON, and the names of properties.
  if (!rabbitmq::append_message(out, {"", 1, moved_later}, message, decoded.returned, 16 << 20))
    return;
  const std::string_view frame = out.bytes();
  const Exactly header(frame.substr(rabbitmq::kFrameHead, frame.size() - rabbitmq::kFrameOverhead));
  network::Arena arena(4096);
  const Decoded again = rabbitmq::decode_message(header.bytes(), arena);
  const swapmq_message& other = *again.message;
  demand(again.good, "a message of ours is undecodable");
  demand(view(other.id) == view(message.id) && other.timestamp_ms == message.timestamp_ms &&
             other.first_published_ms == message.first_published_ms &&
             other.due_at_ms == message.due_at_ms && other.expires_at_ms == message.expires_at_ms &&
             other.priority == message.priority && other.delivery_count == message.delivery_count &&
             view(other.ordering_key) == view(message.ordering_key) &&
             view(other.correlation_id) == view(message.correlation_id) &&
             view(other.reply_to) == view(message.reply_to) &&
             view(other.content_type) == view(message.content_type) &&
             other.header_count == message.header_count &&
             again.returned.nacks == decoded.returned.nacks &&
             again.returned.not_before_ms == decoded.returned.not_before_ms,
         "a message of ours is decoded to another one");
  const backend::Headers one = backend::headers_of(message);
  const backend::Headers two = backend::headers_of(other);
  for (std::size_t i = 0; i < one.size(); ++i) {
    demand(view(one[i].name) == view(two[i].name) && view(one[i].value) == view(two[i].value),
           "a header of ours is decoded to another one");
  }
}

void try_header(std::string_view payload) {
  const Exactly header(payload);
  network::Arena arena(64);
  const Decoded decoded = rabbitmq::decode_message(header.bytes(), arena);
  check_message(decoded, header.bytes());
  const std::string_view id = rabbitmq::message_id_of(header.bytes());
  demand(id == view(decoded.message->id), "a message has two ids");
  if (decoded.good) {
    check_round_trip(decoded, false);
    check_round_trip(decoded, true);
  }
  try {
    rabbitmq::body_size_of(header.bytes());
  } catch (const ConnectionLost& lost) {
    check_line(lost.what());
    demand(!decoded.good, "a message without a size");
  }
}

// ---- methods ------------------------------------------------------------------------------------

void try_method(const Frame& frame) {
  try {
    rabbitmq::decode_fields(frame);
    if (frame.method() == AMQP_CHANNEL_CLOSE_METHOD ||
        frame.method() == AMQP_CONNECTION_CLOSE_METHOD) {
      const rabbitmq::Closing closing = rabbitmq::closing_of(frame);
      check_line(closing.text);
      rabbitmq::inequivalent_argument(closing.text);
      rabbitmq::configured_max_size(closing.text);
    }
  } catch (const ConnectionLost& lost) {
    check_line(lost.what());
  }
}

/// Confirms of messages of which all but the last were wholly sent.
class Book {
 public:
  Book() : confirms_(kFirstTag) {
    for (std::size_t i = 0; i < kMessages; ++i) confirms_.sent({i, "id", i + 1});
  }
  void take(const Frame& frame) {
    if (over_) return;
    try {
      if (frame.method() == AMQP_BASIC_ACK_METHOD || frame.method() == AMQP_BASIC_NACK_METHOD) {
        confirms_.answered(frame, kMessages - 1, [this](const rabbitmq::Sent& sent, bool acked) {
          answered(sent, acked);
        });
      } else {
        confirms_.take_return(frame);
      }
    } catch (const ConnectionLost& lost) {
      check_line(lost.what());
      over_ = true;
    }
    std::size_t open = 0;
    confirms_.for_each_open([&](const rabbitmq::Sent& sent) {
      demand(!answered_.at(sent.letter), "what was answered is open");
      ++open;
    });
    const auto done =
        static_cast<std::size_t>(std::count(answered_.begin(), answered_.end(), true));
    demand(open + done == kMessages, "a message is neither open nor answered");
    demand(confirms_.in_flight() == open, "another number is on its way than is open");
  }

 private:
  void answered(const rabbitmq::Sent& sent, bool /*acked*/) {
    demand(sent.letter < kMessages - 1, "what was not sent is answered");
    demand(!answered_.at(sent.letter), "a message is answered twice");
    answered_.at(sent.letter) = true;
  }

  Confirms confirms_;
  std::vector<bool> answered_ = std::vector<bool>(kMessages, false);
  bool over_ = false;
};

void try_frame(const Frame& read, Book& book) {
  const Exactly payload(read.payload);
  const Frame frame{read.type, read.channel, payload.bytes()};
  if (frame.type == rabbitmq::kMethodFrame) try_method(frame);
  if (frame.type == rabbitmq::kHeaderFrame) try_header(frame.payload);
  book.take(frame);
}

} // namespace

void try_rabbitmq(std::string_view bytes) {
  bytes = bytes.substr(0, kMostInput);
  const Read whole = read_frames(bytes, kMostInput, 1);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{4096}}) {
    demand(read_frames(bytes, piece, 1 + piece % 3) == whole, "pieces make a difference");
  }
  Book book;
  for (const std::string& shown : whole.frames) {
    // "type,channel,payload"
    const std::size_t first = shown.find(',');
    const std::size_t second = shown.find(',', first + 1);
    try_frame({static_cast<uint8_t>(std::stoul(shown)),
               static_cast<uint16_t>(std::stoul(shown.substr(first + 1))),
               std::string_view(shown).substr(second + 1)},
              book);
  }
  // What no frame has room for, and what is no frame: as what a frame could hold.
  try_header(bytes);
  const Exactly method(bytes);
  try_method({rabbitmq::kMethodFrame, 1, method.bytes()});
}

} // namespace swapmq::fuzz
