// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <vector>

#include "config/config.h"

namespace swapmq::config {

/// What a reload changes, as JSON pointers, by what it takes. The type and the sections of backends
/// are not among them: what became of those only their members tell.
struct Difference {
  std::vector<std::string> live;       ///< counts at once
  std::vector<std::string> instance;   ///< counts for backends that are opened anew
  std::vector<std::string> at_restart; ///< counts only after a restart
};

Difference difference(const Config& before, const Config& after);

} // namespace swapmq::config
