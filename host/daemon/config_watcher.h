// SPDX-License-Identifier: MIT
//
// Notices that a configuration file was changed, in whichever way that is done: written in place,
// renamed over (as editors do), a symbolic link on its path pointed elsewhere (as Kubernetes does
// with its ..data).
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "daemon/descriptor.h"

namespace swapmq::host {

/// Told the time, never waits. Not thread-safe. Changes before the first look count.
class ConfigWatcher {
 public:
  using Clock = std::chrono::steady_clock;

  /// A change is told once nothing has happened for so long,
  static constexpr std::chrono::milliseconds quiet_time{100};
  /// but no later than so long after the first; a file is written in several steps.
  static constexpr std::chrono::milliseconds most_patience{1'000};
  /// A file that is away for less was replaced.
  static constexpr std::chrono::milliseconds away_time{2'000};
  /// The kernel's word is not relied on alone: network file systems do not give it.
  static constexpr std::chrono::milliseconds look_period{2'000};

  ConfigWatcher(std::string path, Clock::time_point now,
                std::chrono::milliseconds period = look_period);

  /// To be polled for reading; -1: the kernel has no watches left, and due() is all there is.
  [[nodiscard]] int descriptor() const { return inotify_.get(); }
  /// When to look, even if the descriptor is silent.
  [[nodiscard]] Clock::time_point due() const;
  /// Takes in what happened. True: the file is to be read again.
  bool look(Clock::time_point now);

 private:
  /// What tells one content from another, where nobody says that it was written.
  struct Mark {
    std::uint64_t device = 0, inode = 0;
    std::int64_t size = 0, modified_ns = 0, changed_ns = 0;
    bool operator==(const Mark&) const = default;
  };

  void watch_all();
  void watch(const std::string& path, std::uint32_t events, const std::string& name);
  bool take_events();
  [[nodiscard]] std::optional<Mark> mark() const; ///< none: there is no such file

  const std::string path_;
  const std::chrono::milliseconds period_; ///< of looking unasked
  Descriptor inotify_;
  std::map<int, std::set<std::string>> watched_;  ///< names that matter, by watch; "": all of it
  std::optional<Mark> seen_;                      ///< as it was when that was last told
  std::optional<Clock::time_point> first_, last_; ///< events that are not told yet
  std::optional<Clock::time_point> away_since_;
  Clock::time_point next_look_;
};

} // namespace swapmq::host
