// SPDX-License-Identifier: MIT
#include "seen.h"

#include <array>
#include <sstream>
#include <vector>

namespace swapmq::differential {

namespace {

/// The parts of a message that are text, and those that are numbers, each in one order.
template <class M>
auto texts_of(M& message) {
  return std::array{&message.id,           &message.body,
                    &message.ordering_key, &message.correlation_id,
                    &message.reply_to,     &message.content_type};
}
template <class M>
auto times_of(M& message) {
  return std::array{&message.timestamp_ms, &message.first_published_ms, &message.due_at_ms,
                    &message.expires_at_ms};
}

bool read_hex(std::istream& in, std::string& to) {
  std::string digits;
  if (!(in >> digits)) return false;
  auto bytes = from_hex(digits);
  if (bytes) to = std::move(*bytes);
  return bytes.has_value();
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

} // namespace

Seen see(const swapmq_delivery& delivery) {
  Seen seen;
  seen.message = contract::copy(*delivery.message);
  seen.count = delivery.delivery_count;
  seen.redelivered = (delivery.flags & SWAPMQ_DELIVERY_REDELIVERED) != 0;
  seen.at_least = (delivery.flags & SWAPMQ_DELIVERY_COUNT_AT_LEAST) != 0;
  seen.at_ms = contract::unix_now_ms();
  return seen;
}

std::string to_hex(std::string_view bytes) {
  if (bytes.empty()) return "-";
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string digits;
  digits.reserve(2 * bytes.size());
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    digits += kDigits[byte >> 4];
    digits += kDigits[byte & 15];
  }
  return digits;
}

std::optional<std::string> from_hex(std::string_view digits) {
  std::string bytes;
  if (digits == "-") return bytes;
  if (digits.size() % 2 != 0) return std::nullopt;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const int high = digit(digits[i]);
    const int low = digit(digits[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes += static_cast<char>(high * 16 + low);
  }
  return bytes;
}

std::string to_line(const Seen& seen) {
  const contract::Message& message = seen.message;
  std::ostringstream line;
  line << seen.count << ' ' << seen.redelivered << ' ' << seen.at_least << ' ' << seen.at_ms << ' '
       << message.priority << ' ' << message.delivery_count;
  for (const std::int64_t* time : times_of(message)) line << ' ' << *time;
  for (const std::string* text : texts_of(message)) line << ' ' << to_hex(*text);
  line << ' ' << message.headers.size();
  for (const auto& [name, value] : message.headers) {
    line << ' ' << to_hex(name) << ' ' << to_hex(value);
  }
  return line.str();
}

std::optional<Seen> from_line(std::string_view line) {
  std::istringstream in{std::string(line)};
  Seen seen;
  contract::Message& message = seen.message;
  in >> seen.count >> seen.redelivered >> seen.at_least >> seen.at_ms >> message.priority >>
      message.delivery_count;
  for (std::int64_t* time : times_of(message)) in >> *time;
  for (std::string* text : texts_of(message)) {
    if (!read_hex(in, *text)) return std::nullopt;
  }
  std::size_t headers = 0;
  in >> headers;
  for (std::size_t i = 0; in && i < headers; ++i) {
    auto& [name, value] = message.headers.emplace_back();
    if (!read_hex(in, name) || !read_hex(in, value)) return std::nullopt;
  }
  if (!in) return std::nullopt;
  return seen;
}

} // namespace swapmq::differential
