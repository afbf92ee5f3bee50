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

/// False if it is none.
inline bool parse(std::string_view text, EntryId& id) {
  const char* end = text.data() + text.size();
  const auto ms = std::from_chars(text.data(), end, id.ms);
  if (ms.ec != std::errc() || ms.ptr == end || *ms.ptr != '-') return false;
  const auto sequence = std::from_chars(ms.ptr + 1, end, id.sequence);
  return sequence.ec == std::errc() && sequence.ptr == end;
}

/// Its text, without a heap.
class EntryIdText {
 public:
  explicit EntryIdText(const EntryId& id) {
    char* last = text_.data() + text_.size();
    char* at = std::to_chars(text_.data(), last, id.ms).ptr;
    *at++ = '-';
    size_ = static_cast<std::size_t>(std::to_chars(at, last, id.sequence).ptr - text_.data());
  }
  [[nodiscard]] std::string_view text() const { return {text_.data(), size_}; }

 private:
  std::array<char, 44> text_; // NOLINT: written before it is read
  std::size_t size_;
};

} // namespace swapmq::redis
