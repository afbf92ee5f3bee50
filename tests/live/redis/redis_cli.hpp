// SPDX-License-Identifier: MIT
//
// Debian's redis-cli, a program that is not ours, on a server of a test.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "../support/run_program.hpp"
#include "redis_server.hpp"

namespace swapmq::live {

/// What it prints for a command: one element of the reply a line. For values without line ends.
inline std::vector<std::string> redis_cli(const RedisServer& server,
                                          const std::vector<std::string>& words) {
  std::vector<std::string> arguments{"redis-cli", "-s", server.socket()};
  for (const char* more : {"--no-auth-warning", "--user", "live-tests", "--pass", "live-tests"}) {
    arguments.emplace_back(more);
  }
  arguments.insert(arguments.end(), words.begin(), words.end());
  const ProgramResult result = run_program(arguments);
  if (result.code != 0) throw std::runtime_error("redis-cli " + words.at(0) + " failed");
  std::vector<std::string> lines;
  std::istringstream output(result.out);
  for (std::string line; std::getline(output, line);) lines.push_back(line);
  return lines;
}

} // namespace swapmq::live
