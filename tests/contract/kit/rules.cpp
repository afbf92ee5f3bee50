// SPDX-License-Identifier: MIT
#include "rules.h"

#include <map>

namespace swapmq::contract {

namespace {
std::map<std::string_view, Rule>& all_rules() {
  static std::map<std::string_view, Rule> rules; // made by the first that registers
  return rules;
}
} // namespace

RuleOf::RuleOf(std::string_view test, std::string_view where, std::string_view text) {
  all_rules()[test] = {where, text};
}

Rule rule_of(const std::string& test) {
  const auto found = all_rules().find(test);
  return found == all_rules().end() ? Rule{} : found->second;
}

std::string source_of(const Rule& rule) { return "backend.h: " + std::string(rule.where); }

} // namespace swapmq::contract
