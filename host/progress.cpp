// SPDX-License-Identifier: MIT
#include "progress.h"

#include <unistd.h>

#include <cmath>
#include <utility>

#include "colour.h"
#include "output.h"
#include "quantity.h"

namespace swapmq::host {
std::optional<double> part_of(std::uint64_t done, std::uint64_t all) {
  if (all == 0 || done > all) return std::nullopt;
  return static_cast<double>(done) / static_cast<double>(all);
}

std::string progress_line(const std::string& verb, std::uint64_t count, double rate,
                          std::optional<double> part, std::chrono::nanoseconds elapsed) {
  std::string line = verb + " " + std::to_string(count);
  const bool known = part && *part > 0 && *part <= 1;
  if (known) line += " (" + std::to_string(static_cast<int>(*part * 100)) + " %)";
  line += ", " + format_rate(rate);
  if (!known || *part >= 1) return line;
  // Of all the time so far: a pause of the broker should not make it jump.
  const double seconds = std::chrono::duration<double>(elapsed).count() * (1 - *part) / *part;
  constexpr double longest_told = 100.0 * 24 * 3600;
  if (seconds > longest_told) return line;
  const auto whole = std::chrono::seconds(std::llround(std::ceil(seconds)));
  constexpr std::chrono::seconds minute{60};
  return line + ", " +
         (whole < minute ? std::to_string(whole.count()) + " s" : format_elapsed(whole)) + " left";
}

Progress::Progress(std::string verb, bool wanted)
    : verb_(std::move(verb)),
      shown_(wanted && shows_colours(STDERR_FILENO)),
      began_(Clock::now()),
      last_drawn_(began_) {}

Progress::~Progress() { erase(); }

void Progress::update(std::uint64_t count, std::optional<double> part) {
  if (!shown_) return;
  const auto now = Clock::now();
  const std::chrono::duration<double> passed = now - last_drawn_;
  if (passed < std::chrono::milliseconds(200)) return;
  const double rate = static_cast<double>(count - last_count_) / passed.count();
  print_err("\r\033[K" + progress_line(verb_, count, rate, part, now - began_));
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
