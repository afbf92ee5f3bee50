// SPDX-License-Identifier: MIT
//
// Places in a text, and showing foreign text in a message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swapmq::config {

/// From 1. A line ends at '\n' (so also at "\r\n"); a column counts Unicode code points, a tab is
/// one.
struct Position {
  std::size_t line = 0;
  std::size_t column = 0;
};

/// Turns byte offsets of a text into positions. Borrows the text.
class SourceMap {
 public:
  explicit SourceMap(std::string_view text);
  /// Offsets beyond the end give the position after the last byte.
  [[nodiscard]] Position locate(std::size_t offset) const;

 private:
  [[nodiscard]] std::size_t code_points_before(std::size_t offset) const;

  std::string_view text_;
  std::vector<std::size_t> line_starts_;
  std::vector<std::size_t> block_code_points_; ///< before each block
};

std::string_view without_byte_order_mark(std::string_view text);

/// Bytes of the well-formed UTF-8 sequence at `offset`; 0 if there is none.
std::size_t utf8_sequence(std::string_view text, std::size_t offset);
std::optional<std::size_t> find_invalid_utf8(std::string_view text);
std::size_t count_code_points(std::string_view text);

/// Length of the control character (C0, DEL, C1) that begins at `offset`; 0 if none does.
std::size_t control_character(std::string_view text, std::size_t offset);

/// In double quotes, fit for a line of a message: control characters and bad bytes escaped, cut
/// after `limit` bytes.
std::string quoted(std::string_view text, std::size_t limit = 64);

/// The text with control characters escaped, so that it keeps to one line.
std::string one_line(std::string_view text);

} // namespace swapmq::config
