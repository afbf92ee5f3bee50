// SPDX-License-Identifier: MIT
//
// The seed of a test's random choices: new in each run, unless the environment says which.
#pragma once

#include <cstdlib>
#include <random>

namespace swapmq::test {

inline unsigned chaos_seed() {
  const char* given = std::getenv("SWAPMQ_CHAOS_SEED");
  if (given != nullptr) return static_cast<unsigned>(std::strtoul(given, nullptr, 10));
  return std::random_device{}();
}

} // namespace swapmq::test
