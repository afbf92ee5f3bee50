// SPDX-License-Identifier: MIT
//
// AMQP 0-9-1 as bytes, written by hand: what is wrong in them is what a test wants to be wrong.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace swapmq::live::amqp {

inline std::string number(std::uint64_t value, int size) {
  std::string bytes;
  for (int i = size - 1; i >= 0; --i) bytes.push_back(static_cast<char>(value >> (8 * i) & 0xff));
  return bytes;
}
inline std::string u8(std::uint64_t value) { return number(value, 1); }
inline std::string u16(std::uint64_t value) { return number(value, 2); }
inline std::string u32(std::uint64_t value) { return number(value, 4); }
inline std::string u64(std::uint64_t value) { return number(value, 8); }
inline std::string short_text(std::string_view text) { return u8(text.size()).append(text); }
inline std::string long_text(std::string_view text) { return u32(text.size()).append(text); }
/// One entry of a table, and a table, whose size goes before its entries as that of a text does.
inline std::string text_entry(std::string_view name, std::string_view value) {
  return short_text(name) + 'S' + long_text(value);
}
inline std::string table_entry(std::string_view name, std::string_view entries) {
  return short_text(name) + 'F' + long_text(entries);
}
/// A table in a table in a table, of so many levels.
std::string deep_table(int levels);

constexpr int kMethodFrame = 1, kHeaderFrame = 2, kBodyFrame = 3, kHeartbeatFrame = 8;
constexpr char kFrameEnd = '\xce';

inline std::string frame(int type, int channel, std::string_view payload) {
  return u8(static_cast<std::uint64_t>(type)) + u16(static_cast<std::uint64_t>(channel)) +
         long_text(payload) + kFrameEnd;
}

/// A class and, below it, a method. 4.2.4 of the specification, as one number.
enum Method : std::uint32_t {
  kProtocolHeader = 0, // no method: what a client begins with
  kStart = 10 << 16 | 10,
  kStartOk = 10 << 16 | 11,
  kSecure = 10 << 16 | 20,
  kTune = 10 << 16 | 30,
  kTuneOk = 10 << 16 | 31,
  kOpen = 10 << 16 | 40,
  kOpenOk = 10 << 16 | 41,
  kClose = 10 << 16 | 50,
  kCloseOk = 10 << 16 | 51,
  kBlocked = 10 << 16 | 60,
  kChannelOpen = 20 << 16 | 10,
  kChannelOpenOk = 20 << 16 | 11,
  kFlow = 20 << 16 | 20,
  kFlowOk = 20 << 16 | 21,
  kChannelClose = 20 << 16 | 40,
  kChannelCloseOk = 20 << 16 | 41,
  kQueueDeclare = 50 << 16 | 10,
  kQueueDeclareOk = 50 << 16 | 11,
  kQueuePurge = 50 << 16 | 30,
  kQueuePurgeOk = 50 << 16 | 31,
  kQueueDelete = 50 << 16 | 40,
  kQueueDeleteOk = 50 << 16 | 41,
  kQos = 60 << 16 | 10,
  kQosOk = 60 << 16 | 11,
  kConsume = 60 << 16 | 20,
  kConsumeOk = 60 << 16 | 21,
  kCancel = 60 << 16 | 30,
  kCancelOk = 60 << 16 | 31,
  kPublish = 60 << 16 | 40,
  kReturn = 60 << 16 | 50,
  kDeliver = 60 << 16 | 60,
  kGet = 60 << 16 | 70,
  kGetEmpty = 60 << 16 | 72,
  kAck = 60 << 16 | 80,
  kNack = 60 << 16 | 120,
  kConfirmSelect = 85 << 16 | 10,
  kConfirmSelectOk = 85 << 16 | 11,
};

inline std::string method(int channel, Method which, std::string_view fields = {}) {
  return frame(kMethodFrame, channel, u32(which).append(fields));
}

// ---- what a broker says -------------------------------------------------------------------------

/// What a broker begins with. `more`: entries of its properties.
std::string start(std::string_view mechanisms = "PLAIN AMQPLAIN", std::string_view more = {});
inline std::string tune(int channel_max = 2047, std::uint32_t frame_max = 131072,
                        int heartbeat_seconds = 60) {
  return method(0, kTune,
                u16(static_cast<std::uint64_t>(channel_max)) + u32(frame_max) +
                    u16(static_cast<std::uint64_t>(heartbeat_seconds)));
}
/// connection.close, or channel.close on another channel than 0.
std::string closing(int channel, int code, std::string_view text);
inline std::string ack(int channel, std::uint64_t tag, bool multiple = false) {
  return method(channel, kAck, u64(tag) + u8(multiple ? 1 : 0));
}
inline std::string nack(int channel, std::uint64_t tag) {
  return method(channel, kNack, u64(tag) + u8(0));
}

/// The header of a message: the size of its body, and its properties behind their flags.
std::string content_header(std::uint64_t body_size, unsigned flags = 0,
                           std::string_view properties = {});
constexpr unsigned kHeadersFlag = 1U << 13, kMessageIdFlag = 1U << 7, kContentTypeFlag = 1U << 15;
inline std::string header_frame(int channel, std::uint64_t body_size, unsigned flags = 0,
                                std::string_view properties = {}) {
  return frame(kHeaderFrame, channel, content_header(body_size, flags, properties));
}
inline std::string body_frame(int channel, std::string_view body) {
  return frame(kBodyFrame, channel, body);
}
/// basic.deliver alone; and with header and body.
std::string deliver(int channel, std::uint64_t tag);
std::string delivery(int channel, std::uint64_t tag, std::string_view body = "body");

} // namespace swapmq::live::amqp
