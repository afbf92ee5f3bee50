// SPDX-License-Identifier: MIT
//
// The line on a terminal that says how far long work has come.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace swapmq::host {

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

  void update(std::uint64_t count);
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
  Clock::time_point last_drawn_;
};

} // namespace swapmq::host
