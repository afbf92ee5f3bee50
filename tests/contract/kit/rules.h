// SPDX-License-Identifier: MIT
//
// What each test demands of a backend, in one sentence, and where the contract says so.
#pragma once

#include <string>
#include <string_view>

namespace swapmq::contract {

struct Rule {
  std::string_view where; ///< words of <swapmq/backend.h>: a function, a struct, a field
  std::string_view text;  ///< a sentence, without its full stop
};

/// Declares the rule of a test; CONTRACT_TEST makes one for each.
class RuleOf {
 public:
  RuleOf(std::string_view test, std::string_view where, std::string_view text);
};

/// That of "Suite.Name"; empty if there is none.
Rule rule_of(const std::string& test);
/// "backend.h: exchange(); swapmq_receipt".
std::string source_of(const Rule& rule);

} // namespace swapmq::contract
