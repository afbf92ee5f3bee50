// SPDX-License-Identifier: MIT
//
// Running sequences of operations, each in a fresh world.
#pragma once

#include <optional>
#include <string>

#include "world.h"

namespace swapmq::differential {

/// Where the backends differ.
struct Difference {
  Operations operations;   ///< that were done; the last one showed it
  bool at_the_end = false; ///< or what was compared after it
  std::string what;
};

/// These, without those that are not applicable.
std::optional<Difference> replay(Setting& setting, const Operations& operations, Coverage& coverage,
                                 milliseconds patience);

/// `count` random ones, in sequences of `length`, some of them several times as long.
std::optional<Difference> explore(Setting& setting, std::uint64_t seed, std::uint64_t count,
                                  std::uint64_t length, Coverage& coverage);

} // namespace swapmq::differential
