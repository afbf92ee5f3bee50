// SPDX-License-Identifier: MIT
//
// What the harness throws when the plugin breaks the contract so that the test cannot go on.
#pragma once

#include <stdexcept>
#include <string>

#include "call_log.h"

namespace swapmq::contract {

class Breach : public std::runtime_error {
 public:
  explicit Breach(const std::string& what) : std::runtime_error(what) { keep_calls_for(what); }
};

} // namespace swapmq::contract
