// SPDX-License-Identifier: MIT
//
// Options of a command line: "--name value", "--name=value", flags, and what follows "--".
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace swapmq::contract {

using std::chrono::milliseconds;

/// Where each option goes is said first; all targets outlive parse().
class CommandLine {
 public:
  explicit CommandLine(std::string program) : program_(std::move(program)) {}

  void text(std::string_view name, std::string& to);     ///< not empty
  void time(std::string_view name, milliseconds& to);    ///< 1 or more
  void number(std::string_view name, std::uint64_t& to); ///< 0 or more
  void flag(std::string_view name, bool& to);
  /// What follows "--".
  void rest(std::vector<std::string>& to) { rest_ = &to; }

  /// False if it is wrong; said on stderr, with the name of the program.
  [[nodiscard]] bool parse(int argc, char** argv) const;
  /// Says on stderr that this argument is wrong; false.
  bool wrong(std::string_view what, std::string_view argument) const;

 private:
  std::string program_;
  std::map<std::string, std::function<bool(std::string_view)>, std::less<>> valued_;
  std::map<std::string, bool*, std::less<>> flags_;
  std::vector<std::string>* rest_ = nullptr;
};

} // namespace swapmq::contract
