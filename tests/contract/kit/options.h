// SPDX-License-Identifier: MIT
//
// The command line of the contract kit.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace swapmq::contract {

using std::chrono::milliseconds;

struct Options {
  std::string plugin;           ///< a name or a path
  std::string options = "{}";   ///< the backend's; "{dir}" stands for the run's own folder
  std::string json;             ///< file of the machine-readable result; empty: none
  std::string junit;            ///< the same as JUnit XML
  std::string dir;              ///< the run's folder; empty: make one and remove it
  std::string calls;            ///< file for the log of calls, which outlives a crash; empty: none
  milliseconds hang{10000};     ///< a call that much past its deadline hangs
  milliseconds patience{10000}; ///< how long to wait for what must come
  milliseconds tolerance{500};  ///< how late a wait may end
  milliseconds test_timeout{120000}; ///< --isolate: what one test may take
  std::string broker_control;        ///< a command that breaks and mends the broker; empty: none
  bool list = false;
  bool isolate = false;
  bool quiet = false; ///< no line for each test
  std::string child;  ///< a scenario to act out, for a test in another process
  std::vector<std::string> child_args;
};

/// What gtest left of the command line; nothing if it is wrong (said on stderr) or --help.
std::optional<Options> parse(int argc, char** argv);

void print_usage();

} // namespace swapmq::contract
