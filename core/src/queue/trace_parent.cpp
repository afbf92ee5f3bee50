// SPDX-License-Identifier: MIT
//
// "traceparent": VERSION-TRACE_ID-PARENT_ID-FLAGS, in lower-case hexadecimal digits.
#include <algorithm>
#include <cstring>
#include <span>

#include "queue/uuid7.h"
#include "swapmq/tracing.hpp"

namespace swapmq {
namespace {

constexpr std::size_t known_length = 55; // of version 00; later ones may go on after another '-'
constexpr std::uint8_t sampled_flag = 1;

std::optional<std::uint8_t> digit(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
  return std::nullopt; // capitals are not valid
}

/// Takes as many bytes as there are from the front of the text.
bool take_bytes(std::string_view& text, std::span<std::uint8_t> bytes) {
  if (text.size() < bytes.size() * 2) return false;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto high = digit(text[i * 2]), low = digit(text[i * 2 + 1]);
    if (!high || !low) return false;
    bytes[i] = static_cast<std::uint8_t>(*high << 4 | *low);
  }
  text.remove_prefix(bytes.size() * 2);
  return true;
}

bool take_dash(std::string_view& text) {
  if (!text.starts_with('-')) return false;
  text.remove_prefix(1);
  return true;
}

void add_bytes(std::string& text, std::span<const std::uint8_t> bytes) {
  static constexpr std::string_view digits = "0123456789abcdef";
  for (const std::uint8_t byte : bytes) {
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
}

bool all_zero(std::span<const std::uint8_t> bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

template <std::size_t size>
std::array<std::uint8_t, size> random_id() {
  std::array<std::uint8_t, size> id{};
  while (all_zero(id)) {
    for (std::size_t i = 0; i < size; i += sizeof(std::uint64_t)) {
      const std::uint64_t bits = queue::random_bits();
      std::memcpy(&id[i], &bits, sizeof bits);
    }
  }
  return id;
}

} // namespace

std::optional<TraceParent> TraceParent::parse(std::string_view text) {
  std::array<std::uint8_t, 1> version{}, flags{};
  TraceParent it;
  const std::size_t length = text.size();
  if (!take_bytes(text, version) || !take_dash(text) || !take_bytes(text, it.trace_id) ||
      !take_dash(text) || !take_bytes(text, it.parent_id) || !take_dash(text) ||
      !take_bytes(text, flags)) {
    return std::nullopt;
  }
  const bool more_is_fine = version[0] != 0 && text.starts_with('-');
  if (version[0] == 0xff || (length != known_length && !more_is_fine)) return std::nullopt;
  if (all_zero(it.trace_id) || all_zero(it.parent_id)) return std::nullopt;
  it.flags = flags[0];
  return it;
}

TraceParent TraceParent::make(bool sampled) {
  TraceParent it;
  it.flags = sampled ? sampled_flag : 0;
  it.trace_id = random_id<16>();
  it.parent_id = random_id<8>();
  return it;
}

TraceParent TraceParent::child() const {
  TraceParent it = *this;
  it.parent_id = random_id<8>();
  return it;
}

std::string TraceParent::text() const {
  std::string text = "00-";
  text.reserve(known_length);
  add_bytes(text, trace_id);
  text += '-';
  add_bytes(text, parent_id);
  text += '-';
  add_bytes(text, {&flags, 1});
  return text;
}

} // namespace swapmq
