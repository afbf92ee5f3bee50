// SPDX-License-Identifier: MIT
//
// Columns for people.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace swapmq::host {

/// Rows of cells, each column as wide as its widest cell, the last one unpadded. Control characters
/// are shown as \xNN, so that a name cannot move the terminal's cursor.
std::string format_table(const std::vector<std::vector<std::string>>& rows);

/// The same, its first row being a heading: bold where standard output shows that.
std::string format_table_with_heading(const std::vector<std::vector<std::string>>& rows);

/// The text with control characters as \xNN.
std::string printable(std::string_view text);
/// The same of each line of the text, with that between them.
std::string printable_lines(std::string_view text, std::string_view between);

} // namespace swapmq::host
