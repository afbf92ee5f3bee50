// SPDX-License-Identifier: MIT
//
// The keywords about plain values and about sizes.
#include <cmath>
#include <set>

#include "config/redact.h"
#include "config/suggest.h"
#include "config/text.h"
#include "config/validator.h"

namespace swapmq::config {
namespace {

bool flag(const Node& schema, std::string_view name) {
  const Node* found = schema.find(name);
  return found != nullptr && found->is_true();
}

/// "must be from 1 to 256", with as much of it as the schema says.
std::string range_words(const Node& schema) {
  const Node* minimum = schema.find("minimum");
  const Node* maximum = schema.find("maximum");
  const bool open_low = flag(schema, "exclusiveMinimum");
  const bool open_high = flag(schema, "exclusiveMaximum");
  if (minimum != nullptr && maximum != nullptr && !open_low && !open_high) {
    return "must be from " + std::string(minimum->text) + " to " + std::string(maximum->text);
  }
  std::string words = "must be ";
  if (minimum != nullptr) words += (open_low ? "above " : "at least ") + std::string(minimum->text);
  if (minimum != nullptr && maximum != nullptr) words += " and ";
  if (maximum != nullptr) words += (open_high ? "below " : "at most ") + std::string(maximum->text);
  return words;
}

std::string counted(const Node& limit, std::string_view one) {
  const std::string number(limit.text);
  return number + " " + std::string(one) + (number == "1" ? "" : "s");
}

void add(const Node& value, Findings& out, std::string message) {
  out.push_back(at_value(value, std::move(message)));
}

long double code_points(const Node& value) {
  return static_cast<long double>(count_code_points(value.text));
}

long double children(const Node& value) { return static_cast<long double>(value.child_count); }

} // namespace

void Validator::check_enum(const Node& value, const Node& keyword, const Scope& scope) {
  const std::string wanted = canonical(value);
  std::vector<std::string_view> texts;
  std::string listed;
  for (const Node* each = keyword.first_child; each != nullptr; each = each->next) {
    if (canonical(*each) == wanted) return;
    if (!listed.empty()) listed += ", ";
    const bool text = each->kind == Kind::string;
    listed += text ? quoted(each->text) : std::string(each->text.empty() ? "..." : each->text);
    if (text) texts.push_back(each->text);
  }
  const bool single = keyword.child_count == 1;
  std::string message =
      (single ? "must be " : "must be one of ") + listed + ", got " + shown(value);
  if (value.kind == Kind::string && !single) {
    if (const auto meant = nearest(value.text, texts)) {
      message += "; did you mean " + quoted(*meant) + "?";
    }
  }
  add(value, scope.out, std::move(message));
}

void Validator::check_minimum(const Node& value, const Node& keyword, const Scope& scope) {
  if (!value.is_number()) return;
  const long double number = number_of(value), limit = number_of(keyword);
  if (number > limit || (number == limit && !flag(scope.schema, "exclusiveMinimum"))) return;
  add(value, scope.out, range_words(scope.schema) + ", got " + shown(value));
}

void Validator::check_maximum(const Node& value, const Node& keyword, const Scope& scope) {
  if (!value.is_number()) return;
  const long double number = number_of(value), limit = number_of(keyword);
  if (number < limit || (number == limit && !flag(scope.schema, "exclusiveMaximum"))) return;
  add(value, scope.out, range_words(scope.schema) + ", got " + shown(value));
}

void Validator::check_multiple(const Node& value, const Node& keyword, const Scope& scope) {
  if (!value.is_number()) return;
  const long double number = number_of(value), unit = number_of(keyword);
  bool fits = false;
  if (value.kind == Kind::integer && keyword.kind == Kind::integer) {
    fits = std::fmod(number, unit) == 0;
  } else { // 0.3 is a multiple of 0.1, whatever the last binary digit says
    const long double times = number / unit;
    fits = std::fabs(times - std::round(times)) <= 1e-9L * std::fmax(1.0L, std::fabs(times));
  }
  if (fits) return;
  add(value, scope.out,
      "must be a multiple of " + std::string(keyword.text) + ", got " + shown(value));
}

void Validator::check_min_length(const Node& value, const Node& keyword, const Scope& scope) {
  if (value.kind != Kind::string || code_points(value) >= number_of(keyword)) return;
  if (keyword.text == "1") return add(value, scope.out, "must not be empty");
  add(value, scope.out, "must have at least " + counted(keyword, "character"));
}

void Validator::check_max_length(const Node& value, const Node& keyword, const Scope& scope) {
  if (value.kind != Kind::string || code_points(value) <= number_of(keyword)) return;
  add(value, scope.out, "must have at most " + counted(keyword, "character"));
}

void Validator::check_pattern(const Node& value, const Node& keyword, const Scope& scope) {
  if (value.kind != Kind::string) return;
  if (value.text.size() > kMaxMatchedBytes) {
    return add(value, scope.out,
               "a string of more than " + std::to_string(kMaxMatchedBytes) +
                   " bytes cannot be checked against its pattern; shorten it");
  }
  if (schema_.matches(keyword, value.text)) return;
  add(value, scope.out, "must match " + one_line(keyword.text) + ", got " + shown(value));
}

void Validator::check_items(const Node& value, const Node& keyword, const Scope& scope) {
  if (value.kind != Kind::array) return;
  for (const Node* item = value.first_child; item != nullptr; item = item->next) {
    if (scope.out.size() >= kMostFindings) return;
    check_value(*item, keyword, scope.out, scope.depth);
  }
}

void Validator::check_min_items(const Node& value, const Node& keyword, const Scope& scope) {
  if (value.kind != Kind::array || children(value) >= number_of(keyword)) return;
  add(value, scope.out,
      "must have at least " + counted(keyword, "item") + ", has " +
          std::to_string(value.child_count));
}

void Validator::check_max_items(const Node& value, const Node& keyword, const Scope& scope) {
  if (value.kind != Kind::array || children(value) <= number_of(keyword)) return;
  add(value, scope.out,
      "must have at most " + counted(keyword, "item") + ", has " +
          std::to_string(value.child_count));
}

void Validator::check_unique(const Node& value, const Node& keyword, const Scope& scope) {
  if (value.kind != Kind::array || !keyword.is_true()) return;
  std::set<std::string> seen;
  for (const Node* item = value.first_child; item != nullptr; item = item->next) {
    if (scope.out.size() >= kMostFindings) return;
    if (!seen.insert(canonical(*item)).second) {
      add(*item, scope.out, "the same value stands in this array already; remove one");
    }
  }
}

void Validator::check_min_properties(const Node& value, const Node& keyword, const Scope& scope) {
  if (value.kind != Kind::object || children(value) >= number_of(keyword)) return;
  add(value, scope.out,
      "must have at least " + counted(keyword, "key") + ", has " +
          std::to_string(value.child_count));
}

void Validator::check_max_properties(const Node& value, const Node& keyword, const Scope& scope) {
  if (value.kind != Kind::object || children(value) <= number_of(keyword)) return;
  add(value, scope.out,
      "must have at most " + counted(keyword, "key") + ", has " +
          std::to_string(value.child_count));
}

} // namespace swapmq::config
