// SPDX-License-Identifier: MIT
//
// The two things that nearly all bytes of a server are, numbers and strings with their length in
// front, read where they lie. For what comes with each message; all else hiredis reads.
#pragma once

#include <cstdint>
#include <string_view>

namespace swapmq::redis {

enum class Found {
  whole, // and `from` is behind it
  part,  // the rest is still to come
  wrong, // something else
};

/// Redis itself takes no longer string than this (proto-max-bulk-len), and sends no longer array.
inline constexpr int64_t kLongestResp = INT32_MAX;

/// A line such as "*12\r\n"; of those below zero only -1.
inline Found read_any_number(const char*& from, const char* end, char kind, int64_t& number) {
  const char* at = from;
  if (at == end) return Found::part;
  if (*at++ != kind) return Found::wrong;
  const bool negative = at != end && *at == '-';
  if (negative) ++at;
  int64_t value = 0;
  const char* const digits = at;
  for (; at != end && *at >= '0' && *at <= '9'; ++at) {
    value = value * 10 + (*at - '0');
    if (value > kLongestResp) return Found::wrong;
  }
  if (at == end) return Found::part;
  if (*at != '\r' || at == digits) return Found::wrong;
  if ((*digits == '0' && at - digits > 1) || (negative && value != 1)) return Found::wrong;
  if (end - at < 2) return Found::part;
  if (at[1] != '\n') return Found::wrong;
  number = negative ? -value : value;
  from = at + 2;
  return Found::whole;
}

/// The same; nearly all have one digit or two.
inline Found read_number(const char*& from, const char* end, char kind, int64_t& number) {
  if (end - from < 5 || from[0] != kind) return read_any_number(from, end, kind, number);
  const unsigned first = static_cast<unsigned char>(from[1]) - unsigned{'0'};
  const unsigned second = static_cast<unsigned char>(from[2]) - unsigned{'0'};
  if (first <= 9 && from[2] == '\r' && from[3] == '\n') {
    number = first;
    from += 4;
    return Found::whole;
  }
  if (first - 1 <= 8 && second <= 9 && from[3] == '\r' && from[4] == '\n') {
    number = first * 10 + second;
    from += 5;
    return Found::whole;
  }
  return read_any_number(from, end, kind, number);
}

/// A string, such as "$4\r\ndata\r\n"; not a nil one.
inline Found read_bulk(const char*& from, const char* end, std::string_view& text) {
  const char* at = from;
  int64_t size = 0;
  const Found found = read_number(at, end, '$', size);
  if (found != Found::whole) return found;
  if (size < 0) return Found::wrong;
  if (end - at < size + 2) return Found::part;
  text = {at, static_cast<std::size_t>(size)};
  at += size;
  if (at[0] != '\r' || at[1] != '\n') return Found::wrong;
  from = at + 2;
  return Found::whole;
}

} // namespace swapmq::redis
