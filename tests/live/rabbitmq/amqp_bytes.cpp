// SPDX-License-Identifier: MIT
#include "amqp_bytes.hpp"

namespace swapmq::live::amqp {

std::string deep_table(int levels) {
  constexpr std::size_t kLevelBytes = 6; // an empty name, 'F', and the size of the next
  std::string table;
  for (auto left = static_cast<std::size_t>(levels); left-- > 0;) {
    table += u32(kLevelBytes * left);
    if (left > 0) table += short_text("") + 'F';
  }
  return table;
}

std::string start(std::string_view mechanisms, std::string_view more) {
  std::string capabilities;
  for (const char* name : {"publisher_confirms", "basic.nack", "consumer_cancel_notify"}) {
    capabilities += short_text(name) + 't' + u8(1);
  }
  const std::string properties = table_entry("capabilities", capabilities) +
                                 text_entry("product", "RabbitMQ") +
                                 text_entry("version", "3.12.1");
  return method(0, kStart,
                u8(0) + u8(9) + long_text(properties + std::string(more)) + long_text(mechanisms) +
                    long_text("en_US"));
}

std::string closing(int channel, int code, std::string_view text) {
  return method(channel, channel == 0 ? kClose : kChannelClose,
                u16(static_cast<std::uint64_t>(code)) + short_text(text) + u16(0) + u16(0));
}

std::string content_header(std::uint64_t body_size, unsigned flags, std::string_view properties) {
  constexpr int kBasicClass = 60;
  return u16(kBasicClass) + u16(0) + u64(body_size) + u16(flags) + std::string(properties);
}

std::string deliver(int channel, std::uint64_t tag) {
  return method(channel, kDeliver,
                short_text("consumer") + u64(tag) + u8(0) + short_text("") + short_text("tasks"));
}

std::string delivery(int channel, std::uint64_t tag, std::string_view body) {
  return deliver(channel, tag) + header_frame(channel, body.size()) +
         (body.empty() ? "" : body_frame(channel, body));
}

} // namespace swapmq::live::amqp
