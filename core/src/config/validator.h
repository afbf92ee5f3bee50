// SPDX-License-Identifier: MIT
//
// Checks a value against a Schema and finds everything that is wrong with it, each at its place.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "config/adapter.h"
#include "config/document.h"
#include "config/schema.h"

namespace swapmq::config {

/// Offered each member that "properties" does not name; true: it has dealt with it.
using AdditionalHook = std::function<bool(const Node& object, const Node& member, Findings& out)>;

/// For one check of one value. Work and depth are bounded, also for schemas that refer to
/// themselves.
class Validator {
 public:
  /// Values become what the schema wants, as far as the adapter can.
  Validator(const Schema& schema, Adapter& adapter, AdditionalHook hook = {});

  void check(const Node& value, Findings& out);

 private:
  struct Scope {
    const Node& schema; ///< that the keyword belongs to
    Findings& out;
    int depth;
  };
  using Check = void (Validator::*)(const Node& value, const Node& keyword, const Scope& scope);
  struct Keyword {
    std::string_view name;
    Check check;
  };
  static const std::vector<Keyword>& keywords();

  void check_value(const Node& value, const Node& schema, Findings& out, int depth);
  bool spent(int depth);
  bool type_fits(const Node& value, const Node& schema, Findings& out) const;

  void check_enum(const Node& value, const Node& keyword, const Scope& scope);
  void check_minimum(const Node& value, const Node& keyword, const Scope& scope);
  void check_maximum(const Node& value, const Node& keyword, const Scope& scope);
  void check_multiple(const Node& value, const Node& keyword, const Scope& scope);
  void check_min_length(const Node& value, const Node& keyword, const Scope& scope);
  void check_max_length(const Node& value, const Node& keyword, const Scope& scope);
  void check_pattern(const Node& value, const Node& keyword, const Scope& scope);
  void check_items(const Node& value, const Node& keyword, const Scope& scope);
  void check_min_items(const Node& value, const Node& keyword, const Scope& scope);
  void check_max_items(const Node& value, const Node& keyword, const Scope& scope);
  void check_unique(const Node& value, const Node& keyword, const Scope& scope);
  void check_min_properties(const Node& value, const Node& keyword, const Scope& scope);
  void check_max_properties(const Node& value, const Node& keyword, const Scope& scope);
  void check_required(const Node& value, const Node& keyword, const Scope& scope);
  void check_properties(const Node& value, const Node& keyword, const Scope& scope);
  void check_additional(const Node& value, const Node& keyword, const Scope& scope);
  void check_all(const Node& value, const Node& keyword, const Scope& scope);
  void check_any(const Node& value, const Node& keyword, const Scope& scope);
  void check_one(const Node& value, const Node& keyword, const Scope& scope);
  void check_not(const Node& value, const Node& keyword, const Scope& scope);

  /// Tries each schema of a list; how many fit, and what is wrong by the nearest if none does.
  std::size_t try_each(const Node& value, const Node& list, const Scope& scope, Findings& nearest);

  const Schema& schema_;
  Adapter& adapter_;
  AdditionalHook hook_;
  std::size_t steps_ = 0;
  std::size_t most_steps_ = 0;
  bool gave_up_ = false;
};

} // namespace swapmq::config
