// SPDX-License-Identifier: MIT
//
// One failure of a test, taken apart from what GoogleTest says of it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "call_log.h"

namespace swapmq::contract {

/// What is empty does not apply.
struct Failure {
  std::string expected, got;
  std::string note;  ///< what the test says to it
  std::string with;  ///< the round or the size that was tried
  std::string found; ///< all of it, where there is no expected and got
  std::string at;    ///< "settle_test.cpp:57"
  std::vector<CallSeen> calls;
};

/// `text` as GoogleTest or the harness has it.
Failure take_apart(std::string_view text);

/// GoogleTest's words around what the harness throws say nothing more.
std::string unwrapped(std::string text);

} // namespace swapmq::contract
