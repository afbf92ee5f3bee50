// SPDX-License-Identifier: MIT
#include "colour.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "output.h"

namespace swapmq::host {
namespace {

/// SGR parameters (ECMA-48): the sixteen colours that every terminal's theme has.
std::string_view sequence(Tone tone) {
  switch (tone) {
    case Tone::bad:
      return "\033[1;31m";
    case Tone::good:
      return "\033[32m";
    case Tone::heading:
      break;
  }
  return "\033[1m";
}

} // namespace

bool shows_colours(int fd) {
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') return false;
  const char* term = std::getenv("TERM");
  return term != nullptr && std::string_view(term) != "dumb" && ::isatty(fd) == 1;
}

std::string toned(int fd, Tone tone, std::string_view text) {
  if (!shows_colours(fd)) return std::string(text);
  return std::string(sequence(tone)).append(text).append("\033[0m");
}

void print_errors(std::string_view lines) {
  std::string shown;
  while (!lines.empty()) {
    const std::size_t end = std::min(lines.find('\n'), lines.size());
    const std::string_view line = lines.substr(0, end);
    const std::size_t colon = line.starts_with(" ") ? std::string_view::npos : line.find(": ");
    if (colon == std::string_view::npos) {
      shown += line;
    } else {
      shown += toned(STDERR_FILENO, Tone::bad, line.substr(0, colon + 1));
      shown += line.substr(colon + 1);
    }
    shown += '\n';
    lines.remove_prefix(std::min(end + 1, lines.size()));
  }
  print_err(shown);
}

} // namespace swapmq::host
