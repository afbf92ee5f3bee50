// SPDX-License-Identifier: MIT
//
// A program run to its end, for what it prints.
#pragma once

#include <string>
#include <vector>

#include "deadline.hpp"

namespace swapmq::live {

struct ProgramResult {
  int code = -1; ///< -1: ended by a signal
  std::string out{}, err{};

  /// For a message: all of it.
  [[nodiscard]] std::string text() const;
};

/// Its input is `input`. Throws std::system_error where it cannot be started, and kills it and
/// throws std::runtime_error with what it printed where it does not end in time.
ProgramResult run_program(const std::vector<std::string>& arguments, const std::string& input = {},
                          milliseconds patience = milliseconds(20'000));

} // namespace swapmq::live
