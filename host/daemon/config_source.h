// SPDX-License-Identifier: MIT
//
// The configuration of a host: opened once, read again many times, with what the command line
// overrides.
#pragma once

#include <string>

#include "command_line.h"
#include "swapmq/swapmq.hpp"

namespace swapmq::host {

class ConfigSource {
 public:
  explicit ConfigSource(const CommonOptions& common)
      : path_(common.config), log_level_(common.log_level) {}

  /// Errors: those of MessageQueue::try_open(). Before all else; one thread.
  Result<MessageQueue> open();
  /// Errors: those of MessageQueue::reload(). Any thread.
  Result<ReloadResult> reload(MessageQueue& queue) const;
  /// Of the one that was opened; empty: it names none.
  [[nodiscard]] const std::string& state_dir() const { return state_dir_; }
  /// Empty: the embedded default.
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  [[nodiscard]] Result<std::string> read() const;

  const std::string path_, log_level_;
  std::string state_dir_;
};

} // namespace swapmq::host
