// SPDX-License-Identifier: MIT
//
// The id of a stream's entry: "MILLISECONDS-SEQUENCE".
#pragma once

#include <array>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace swapmq::redis {

struct EntryId {
  uint64_t ms = 0;
  uint64_t sequence = 0;
  bool operator<(const EntryId& other) const {
    return ms != other.ms ? ms < other.ms : sequence < other.sequence;
  }
};

/// Reads digits; moves `from` behind them. False if there are none, or the number is too large.
/// There are three such numbers in each message: where it cannot be too large, nothing looks.
inline bool read_digits(const char*& from, const char* end, uint64_t& number) {
  constexpr std::ptrdiff_t kSurelyFit = 19;
  uint64_t value = 0;
  const char* at = from;
  for (; at != end && *at >= '0' && *at <= '9'; ++at) {
    value = value * 10 + static_cast<uint64_t>(*at - '0');
  }
  const std::ptrdiff_t digits = at - from;
  if (digits == 0) return false;
  if (digits > kSurelyFit && std::from_chars(from, at, value).ec != std::errc()) return false;
  number = value;
  from = at;
  return true;
}

/// False if it is none.
inline bool parse(std::string_view text, EntryId& id) {
  const char* at = text.data();
  const char* const end = at + text.size();
  if (!read_digits(at, end, id.ms) || at == end || *at != '-') return false;
  return read_digits(++at, end, id.sequence) && at == end;
}

/// Its text, without a heap.
class EntryIdText {
 public:
  explicit EntryIdText(const EntryId& id = {}) { become(id); }
  /// The text of another one: of those that come together most have the same milliseconds.
  std::string_view become(const EntryId& id) {
    char* last = text_.data() + text_.size();
    if (id.ms != ms_ || prefix_ == 0) {
      char* at = std::to_chars(text_.data(), last, id.ms).ptr;
      *at++ = '-';
      prefix_ = static_cast<std::size_t>(at - text_.data());
      ms_ = id.ms;
    }
    char* const end = std::to_chars(text_.data() + prefix_, last, id.sequence).ptr;
    size_ = static_cast<std::size_t>(end - text_.data());
    return text();
  }
  [[nodiscard]] std::string_view text() const { return {text_.data(), size_}; }

 private:
  std::array<char, 44> text_; // NOLINT: written before it is read
  std::size_t size_ = 0;
  std::size_t prefix_ = 0; // up to behind the dash
  uint64_t ms_ = 0;
};

} // namespace swapmq::redis
