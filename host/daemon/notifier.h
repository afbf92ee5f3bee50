// SPDX-License-Identifier: MIT
//
// What a service manager is told (sd_notify(3)); nothing where none asked for it.
#pragma once

#include <chrono>
#include <optional>
#include <string>

namespace swapmq::host {

/// One thread after the other. Never blocks for longer than a full socket of the manager's.
class Notifier {
 public:
  Notifier();

  void ready(const std::string& status);
  /// A reload begins; ready() ends it.
  void reloading();
  void stopping();
  /// One line for people.
  void status(const std::string& text);
  void alive();
  /// How often alive() is expected: half of what the manager waits. None: never.
  [[nodiscard]] std::optional<std::chrono::microseconds> alive_period() const { return period_; }

 private:
  std::optional<std::chrono::microseconds> period_;
  std::string told_; ///< the last status
};

} // namespace swapmq::host
