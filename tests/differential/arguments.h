// SPDX-License-Identifier: MIT
//
// The command line.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace swapmq::differential {

using std::chrono::milliseconds;

struct Arguments {
  std::string plugin;         ///< path of the backend to compare with the model
  std::string options = "{}"; ///< its own; {dir} stands for a fresh folder
  std::uint64_t seed = 1;
  std::uint64_t operations = 20000;
  std::uint64_t length = 400; ///< of a sequence, after which all is made anew
  std::string replay;         ///< file of operations to do instead
  std::string save;           ///< file for the shortest sequence that fails
  std::string json;           ///< file of the machine-readable result
  std::string dir;            ///< the run's folder; empty: make one and remove it
  milliseconds hang{20000};
  milliseconds patience{10000};
  milliseconds shrink_time{120000};
  milliseconds lease{120000}; ///< of consumers that live
  bool reads_ahead = false;   ///< the backend gives consumers what they did not ask for yet
  bool returns_late = false;  ///< what was given back may come behind what is newer
  std::string child;          ///< a scenario to act out
  std::vector<std::string> child_args;
};

/// Nothing if it is wrong; said on stderr.
std::optional<Arguments> parse(int argc, char** argv);
void print_usage();

} // namespace swapmq::differential
