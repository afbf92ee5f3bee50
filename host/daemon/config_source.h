// SPDX-License-Identifier: MIT
//
// The configuration of a host: opened once, read again many times, with what the command line
// overrides.
#pragma once

#include <string>

#include "command_line.h"
#include "swapmq/backend_locks.hpp"
#include "swapmq/swapmq.hpp"

namespace swapmq::host {

class ConfigSource {
 public:
  explicit ConfigSource(const CommonOptions& common)
      : path_(common.config), log_level_(common.log_level) {}

  /// Errors: those of MessageQueue::try_open(). Before all else; one thread.
  Result<MessageQueue> open();
  /// Errors: those of MessageQueue::reload(). Any thread.
  Result<ReloadResult> reload(MessageQueue& queue) SWAPMQ_EXCLUDES(mutex_);
  /// What the one that was read last says of switches. Any thread.
  [[nodiscard]] SwitchOptions switch_options() const SWAPMQ_EXCLUDES(mutex_);
  /// Of the one that was opened; empty: it names none.
  [[nodiscard]] const std::string& state_dir() const { return state_dir_; }
  /// Empty: the embedded default.
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  [[nodiscard]] Result<std::string> read() const;
  void keep_switch_options(const std::string& text) SWAPMQ_EXCLUDES(mutex_);

  const std::string path_, log_level_;
  std::string state_dir_;
  mutable backend::Mutex mutex_;
  SwitchOptions switch_options_ SWAPMQ_GUARDED_BY(mutex_);
};

} // namespace swapmq::host
