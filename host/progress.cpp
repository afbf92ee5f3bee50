// SPDX-License-Identifier: MIT
#include "progress.h"

#include <cstdlib>
#include <utility>

#include "output.h"
#include "quantity.h"

namespace swapmq::host {
namespace {

bool terminal_can_redraw() {
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') return false;
  const char* term = std::getenv("TERM");
  return term != nullptr && std::string_view(term) != "dumb" && stderr_is_terminal();
}

} // namespace

Progress::Progress(std::string verb, bool wanted)
    : verb_(std::move(verb)), shown_(wanted && terminal_can_redraw()), last_drawn_(Clock::now()) {}

Progress::~Progress() { erase(); }

void Progress::update(std::uint64_t count) {
  if (!shown_) return;
  const auto now = Clock::now();
  const std::chrono::duration<double> passed = now - last_drawn_;
  if (passed < std::chrono::milliseconds(200)) return;
  const double rate = static_cast<double>(count - last_count_) / passed.count();
  print_err("\r\033[K" + verb_ + " " + std::to_string(count) + ", " + format_rate(rate));
  drawn_ = true;
  last_count_ = count;
  last_drawn_ = now;
}

void Progress::show(const std::string& line) {
  if (!shown_) return;
  print_err("\r\033[K" + line);
  drawn_ = true;
}

void Progress::say(std::string_view text) {
  erase();
  print_err(text);
}

void Progress::erase() {
  if (drawn_) print_err("\r\033[K");
  drawn_ = false;
}

} // namespace swapmq::host
