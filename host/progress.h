// SPDX-License-Identifier: MIT
//
// The line on a terminal that says how far long work has come.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace swapmq::host {

/// Of a whole that is known; `all` 0: it is not.
std::optional<double> part_of(std::uint64_t done, std::uint64_t all);

/// "published 120000 (34 %), 201k/s, 12 s left".
std::string progress_line(const std::string& verb, std::uint64_t count, double rate,
                          std::optional<double> part, std::chrono::nanoseconds elapsed);

/// Shown on standard error if that is a terminal, drawn at most five times a second, erased by the
/// destructor and for whatever else is printed meanwhile. Not thread-safe.
class Progress {
 public:
  using Clock = std::chrono::steady_clock;

  /// `verb`: "published".
  Progress(std::string verb, bool wanted);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `part`: of the whole, 0 to 1, if that is known; then the line says how long it will still
  /// take.
  void update(std::uint64_t count, std::optional<double> part = std::nullopt);
  /// Whether there is a terminal to show it on: what only the line needs can be left undone.
  [[nodiscard]] bool shown() const { return shown_; }
  /// A line of another kind; as seldom drawn as it is asked for.
  void show(const std::string& line);
  /// Prints to standard error, the line out of the way.
  void say(std::string_view text);
  void erase();

 private:
  const std::string verb_;
  const bool shown_;
  bool drawn_ = false;
  std::uint64_t last_count_ = 0;
  const Clock::time_point began_;
  Clock::time_point last_drawn_;
};

} // namespace swapmq::host
