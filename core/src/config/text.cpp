// SPDX-License-Identifier: MIT
#include "config/text.h"

#include <algorithm>
#include <cstdio>

namespace swapmq::config {
namespace {

// A long line would otherwise be counted from its start for each error on it.
constexpr std::size_t kBlock = 4096;

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xC0u) == 0x80u; }

bool between(std::string_view text, std::size_t at, unsigned low, unsigned high) {
  if (at >= text.size()) return false;
  const auto byte = static_cast<unsigned char>(text[at]);
  return byte >= low && byte <= high;
}

void append_escaped(std::string& out, const char* format, unsigned value) {
  char buffer[16];
  std::snprintf(buffer, sizeof buffer, format, value);
  out += buffer;
}

/// Appends the character at `offset`, escaped where it would not show, and returns its length.
std::size_t append_shown(std::string& out, std::string_view text, std::size_t offset) {
  const std::size_t length = utf8_sequence(text, offset);
  if (length == 0) {
    append_escaped(out, "\\x%02x", static_cast<unsigned char>(text[offset]));
    return 1;
  }
  if (const std::size_t control = control_character(text, offset); control > 0) {
    append_escaped(out, "\\u%04x", static_cast<unsigned char>(text[offset + control - 1]));
    return control;
  }
  const std::string_view character = text.substr(offset, length);
  if (character == "\u2028" || character == "\u2029") { // line separators
    out += character == "\u2028" ? "\\u2028" : "\\u2029";
  } else {
    out += character;
  }
  return length;
}

} // namespace

SourceMap::SourceMap(std::string_view text) : text_(text) {
  line_starts_.push_back(0);
  std::size_t code_points = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i % kBlock == 0) block_code_points_.push_back(code_points);
    if (!continues(text[i])) ++code_points;
    if (text[i] == '\n') line_starts_.push_back(i + 1);
  }
  if (text.size() % kBlock == 0) block_code_points_.push_back(code_points);
}

std::size_t SourceMap::code_points_before(std::size_t offset) const {
  const std::size_t block = offset / kBlock;
  return block_code_points_[block] +
         count_code_points(text_.substr(block * kBlock, offset % kBlock));
}

Position SourceMap::locate(std::size_t offset) const {
  offset = std::min(offset, text_.size());
  const auto next = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  const std::size_t start = *(next - 1);
  return {static_cast<std::size_t>(next - line_starts_.begin()),
          code_points_before(offset) - code_points_before(start) + 1};
}

std::string_view without_byte_order_mark(std::string_view text) {
  constexpr std::string_view mark = "\xEF\xBB\xBF";
  if (text.starts_with(mark)) text.remove_prefix(mark.size());
  return text;
}

std::size_t utf8_sequence(std::string_view text, std::size_t offset) {
  if (between(text, offset, 0x00, 0x7F)) return 1;
  if (between(text, offset, 0xC2, 0xDF)) return between(text, offset + 1, 0x80, 0xBF) ? 2 : 0;
  if (between(text, offset, 0xE0, 0xEF)) {
    const bool e0 = text[offset] == '\xE0'; // shorter forms exist
    const bool ed = text[offset] == '\xED'; // surrogates
    return between(text, offset + 1, e0 ? 0xA0 : 0x80, ed ? 0x9F : 0xBF) &&
                   between(text, offset + 2, 0x80, 0xBF)
               ? 3
               : 0;
  }
  if (between(text, offset, 0xF0, 0xF4)) {
    const bool f0 = text[offset] == '\xF0';
    const bool f4 = text[offset] == '\xF4'; // beyond U+10FFFF
    return between(text, offset + 1, f0 ? 0x90 : 0x80, f4 ? 0x8F : 0xBF) &&
                   between(text, offset + 2, 0x80, 0xBF) && between(text, offset + 3, 0x80, 0xBF)
               ? 4
               : 0;
  }
  return 0;
}

std::optional<std::size_t> find_invalid_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t length = utf8_sequence(text, i);
    if (length == 0) return i;
    i += length;
  }
  return std::nullopt;
}

std::size_t count_code_points(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

std::size_t control_character(std::string_view text, std::size_t offset) {
  if (between(text, offset, 0x00, 0x1F) || between(text, offset, 0x7F, 0x7F)) return 1;
  if (between(text, offset, 0xC2, 0xC2) && between(text, offset + 1, 0x80, 0x9F)) return 2;
  return 0;
}

std::string quoted(std::string_view text, std::size_t limit) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    if (i >= limit) return out + "...\"";
    if (text[i] == '"' || text[i] == '\\') out += '\\';
    i += append_shown(out, text, i);
  }
  return out + '"';
}

std::string one_line(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) i += append_shown(out, text, i);
  return out;
}

} // namespace swapmq::config
