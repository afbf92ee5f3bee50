// SPDX-License-Identifier: MIT
#include "table.h"

#include <unistd.h>

#include <algorithm>

#include "colour.h"

namespace swapmq::host {

std::string printable(std::string_view text) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string shown;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte != 0x7f) {
      shown += c;
    } else {
      shown += "\\x";
      shown += digits[byte >> 4];
      shown += digits[byte & 15];
    }
  }
  return shown;
}

std::string printable_lines(std::string_view text, std::string_view between) {
  std::string shown;
  for (;;) {
    const std::size_t end = text.find('\n');
    shown += printable(text.substr(0, end));
    if (end == std::string_view::npos) return shown;
    shown += between;
    text.remove_prefix(end + 1);
  }
}

std::string format_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::vector<std::string>> shown;
  std::vector<std::size_t> widths;
  for (const auto& row : rows) {
    auto& cells = shown.emplace_back();
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i) {
      cells.push_back(printable(row[i]));
      widths[i] = std::max(widths[i], cells.back().size());
    }
  }
  std::string text;
  for (auto& cells : shown) {
    for (std::size_t i = 0; i + 1 < cells.size(); ++i) cells[i].resize(widths[i] + 2, ' ');
    for (const std::string& cell : cells) text += cell;
    text += '\n';
  }
  return text;
}

std::string format_table_with_heading(const std::vector<std::vector<std::string>>& rows) {
  std::string text = format_table(rows);
  const std::size_t end = text.find('\n');
  if (end == std::string::npos) return text;
  return toned(STDOUT_FILENO, Tone::heading, text.substr(0, end)) + text.substr(end);
}

} // namespace swapmq::host
