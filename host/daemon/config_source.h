// SPDX-License-Identifier: MIT
//
// The configuration of a host, to be read again many times, with what the command line overrides.
#pragma once

#include <string>
#include <vector>

#include "command_line.h"
#include "swapmq/swapmq.hpp"

namespace swapmq::host {

class ConfigSource {
 public:
  explicit ConfigSource(const CommonOptions& common)
      : path_(common.config), overrides_(common.overrides) {}

  /// Errors: those of MessageQueue::reload(). Any thread.
  Result<ReloadResult> reload(MessageQueue& queue) const;
  /// Empty: the embedded default.
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  const std::string path_;
  const std::vector<ConfigOverride> overrides_;
};

} // namespace swapmq::host
