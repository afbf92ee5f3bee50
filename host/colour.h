// SPDX-License-Identifier: MIT
//
// Colours, on a terminal that shows them, unless NO_COLOR is set (https://no-color.org).
#pragma once

#include <string>
#include <string_view>

namespace swapmq::host {

enum class Tone {
  bad,     ///< where an error is, or whose it is
  good,    ///< that nothing is wrong
  heading, ///< of a table
};

/// Whether what is written there may hold escape sequences.
bool shows_colours(int fd);

/// The text in that tone, if the descriptor shows colours; else as it is.
std::string toned(int fd, Tone tone, std::string_view text);

/// Prints lines to standard error, each "WHOSE: WHAT" or "PLACE: WHAT" with its beginning in bad.
void print_errors(std::string_view lines);

} // namespace swapmq::host
