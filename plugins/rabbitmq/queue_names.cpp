// SPDX-License-Identifier: MIT
#include "queue_names.hpp"

#include <algorithm>

#include "swapmq/backend.hpp"

namespace swapmq::rabbitmq {
namespace {

using backend::Failure;

constexpr std::string_view kDigits = "0123456789ABCDEF";

/// Bytes of a well-formed UTF-8 sequence at the front; 0: it is none (RFC 3629, 4).
std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) return 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  if ((first == 0xe0 && at(1) < 0xa0) || (first == 0xed && at(1) > 0x9f)) return 0;
  if ((first == 0xf0 && at(1) < 0x90) || (first == 0xf4 && at(1) > 0x8f)) return 0;
  return length;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

std::string encoded(std::string_view name) {
  const bool utf8 = is_utf8(name);
  std::string out;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte >= 0x20 && byte != 0x7f && c != '%' && (byte < 0x80 || utf8);
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

std::optional<std::string> decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    if (i + 2 >= text.size()) return std::nullopt;
    const std::size_t high = kDigits.find(text[i + 1]);
    const std::size_t low = kDigits.find(text[i + 2]);
    if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

} // namespace

std::string name_at_broker(std::string_view name, std::string_view prefix) {
  if (name.empty() || name.size() > kMaxQueueName) {
    throw Failure(SWAPMQ_INVALID_ARGUMENT,
                  "a queue name has 1 to " + std::to_string(kMaxQueueName) +
                      " bytes, this one has " + std::to_string(name.size()));
  }
  if (name.find('\0') != std::string_view::npos) {
    throw Failure(SWAPMQ_INVALID_ARGUMENT, "a queue name holds a NUL byte");
  }
  std::string whole = std::string(prefix) + encoded(name);
  if (whole.size() > kMaxNameAtBroker) {
    throw Failure(SWAPMQ_INVALID_ARGUMENT,
                  "a queue name is too long for RabbitMQ once its odd bytes are written as %XX");
  }
  for (const std::string_view reserved : {std::string_view("amq."), kOwnNames}) {
    if (!whole.starts_with(reserved)) continue;
    throw Failure(SWAPMQ_INVALID_ARGUMENT, "a queue name cannot begin with \"" +
                                               std::string(reserved) + "\", which is reserved");
  }
  return whole;
}

std::optional<std::string> name_from_broker(std::string_view at_broker, std::string_view prefix) {
  if (at_broker.starts_with(kOwnNames) || at_broker.starts_with("amq.")) return std::nullopt;
  if (!at_broker.starts_with(prefix) || at_broker.size() == prefix.size()) return std::nullopt;
  std::optional<std::string> name = decoded(at_broker.substr(prefix.size()));
  // What could not be opened by the name is not listed.
  if (at_broker.size() > kMaxNameAtBroker ||
      (name && (name->size() > kMaxQueueName || name->find('\0') != std::string::npos))) {
    return std::nullopt;
  }
  if (name && prefix.size() + encoded(*name).size() == at_broker.size() &&
      encoded(*name) == at_broker.substr(prefix.size())) {
    return name;
  }
  return std::nullopt;
}

std::string delay_queue_name(std::string_view at_broker, uint64_t delay_ms) {
  return std::string(kOwnNames) + "delay." + std::to_string(delay_ms) + "." +
         std::string(at_broker);
}

} // namespace swapmq::rabbitmq
