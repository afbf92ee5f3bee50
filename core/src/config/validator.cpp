// SPDX-License-Identifier: MIT
//
// The frame of the validation: types, objects, and schemas made of schemas. The keywords about
// plain values are in validator_values.cpp.
#include "config/validator.h"

#include <algorithm>

#include "config/redact.h"
#include "config/suggest.h"
#include "config/text.h"

namespace swapmq::config {
namespace {

// Nested alternatives multiply. A step is a value checked against a schema: these are several for
// each value that a text can hold, and some for small ones.
constexpr std::size_t kStepsForByte = 8;
constexpr std::size_t kStepsForAll = 10'000;
// Nesting of values times schemas that only refer to others.
constexpr int kMostSchemaDepth = 256;

std::string_view type_words(std::string_view type) {
  if (type == "null") return "null";
  if (type == "boolean") return "true or false";
  if (type == "integer") return "an integer";
  if (type == "number") return "a number";
  if (type == "string") return "a string";
  return type == "array" ? "an array" : "an object";
}

bool type_matches(const Node& value, std::string_view type) {
  switch (value.kind) {
    case Kind::null:
      return type == "null";
    case Kind::boolean:
      return type == "boolean";
    case Kind::integer:
      return type == "integer" || type == "number";
    case Kind::number:
      return type == "number";
    case Kind::string:
      return type == "string";
    case Kind::array:
      return type == "array";
    case Kind::object:
      break;
  }
  return type == "object";
}

Finding mismatch(const Node& value, const std::string& expected) {
  Finding finding = at_value(value, "expected " + expected + ", got " + shown(value));
  finding.expected = expected;
  return finding;
}

void add_type(std::string& words, std::string_view type) {
  if (words.find(type) != std::string::npos) return;
  if (!words.empty()) words += " or ";
  words += type;
}

/// How far from right: the wrong type altogether is worse than any number of errors inside.
std::size_t badness(const Node& value, const Findings& findings) {
  constexpr std::size_t kWrongType = 1'000'000;
  const bool wrong_type = std::any_of(findings.begin(), findings.end(), [&](const Finding& f) {
    return !f.expected.empty() && f.offset == value.begin;
  });
  return findings.size() + (wrong_type ? kWrongType : 0);
}

std::vector<std::string_view> names_of(const Node* properties) {
  std::vector<std::string_view> names;
  if (properties == nullptr) return names;
  for (const Node* each = properties->first_child; each != nullptr; each = each->next) {
    names.push_back(each->key);
  }
  return names;
}

} // namespace

Validator::Validator(const Schema& schema, Adapter& adapter, AdditionalHook hook)
    : schema_(schema), adapter_(adapter), hook_(std::move(hook)) {}

void Validator::check(const Node& value, Findings& out) {
  most_steps_ = kStepsForAll + kStepsForByte * (value.end - value.begin);
  check_value(value, schema_.root(), out, 0);
  if (!gave_up_) return;
  // Said here, since alternatives throw away what was found.
  out.push_back(at_value(value,
                         "too complex to check: the schema refers to itself without end, or has "
                         "too many nested alternatives"));
}

const std::vector<Validator::Keyword>& Validator::keywords() {
  static const std::vector<Keyword> all = {
      {"enum", &Validator::check_enum},
      {"minimum", &Validator::check_minimum},
      {"maximum", &Validator::check_maximum},
      {"multipleOf", &Validator::check_multiple},
      {"minLength", &Validator::check_min_length},
      {"maxLength", &Validator::check_max_length},
      {"pattern", &Validator::check_pattern},
      {"items", &Validator::check_items},
      {"minItems", &Validator::check_min_items},
      {"maxItems", &Validator::check_max_items},
      {"uniqueItems", &Validator::check_unique},
      {"minProperties", &Validator::check_min_properties},
      {"maxProperties", &Validator::check_max_properties},
      {"required", &Validator::check_required},
      {"properties", &Validator::check_properties},
      {"additionalProperties", &Validator::check_additional},
      {"allOf", &Validator::check_all},
      {"anyOf", &Validator::check_any},
      {"oneOf", &Validator::check_one},
      {"not", &Validator::check_not},
  };
  return all;
}

bool Validator::spent(int depth) {
  if (++steps_ > most_steps_ || depth > kMostSchemaDepth) gave_up_ = true;
  return gave_up_;
}

void Validator::check_value(const Node& value, const Node& schema, Findings& out, int depth) {
  if (value.bad_value || value.bad_key || spent(depth)) return;
  if (const Node* reference = schema.find("$ref")) {
    return check_value(value, *schema_.resolve(reference->text), out, depth + 1);
  }
  adapter_.fit(value, schema, out);
  if (value.bad_value || !type_fits(value, schema, out)) return; // the rest would only repeat it
  const Scope scope{schema, out, depth + 1};
  for (const Keyword& keyword : keywords()) {
    if (out.size() >= kMostFindings) return;
    if (const Node* found = schema.find(keyword.name)) (this->*keyword.check)(value, *found, scope);
  }
  adapter_.place(value, schema);
}

bool Validator::type_fits(const Node& value, const Node& schema, Findings& out) const {
  const Node* type = schema.find("type");
  if (type == nullptr) return true;
  std::string expected;
  const Node* each = type->kind == Kind::array ? type->first_child : type;
  for (; each != nullptr; each = type->kind == Kind::array ? each->next : nullptr) {
    if (type_matches(value, each->text)) return true;
    add_type(expected, type_words(each->text));
  }
  out.push_back(mismatch(value, expected));
  return false;
}

void Validator::check_required(const Node& value, const Node& keyword, const Scope& scope) {
  if (value.kind != Kind::object) return;
  for (const Node* name = keyword.first_child; name != nullptr; name = name->next) {
    if (value.find(name->text) != nullptr) continue;
    scope.out.push_back(at_value(value, "missing key " + quoted(name->text)));
  }
}

void Validator::check_properties(const Node& value, const Node& keyword, const Scope& scope) {
  if (value.kind != Kind::object) return;
  for (const Node* member = value.first_child; member != nullptr; member = member->next) {
    if (const Node* schema = keyword.find(member->key)) {
      check_value(*member, *schema, scope.out, scope.depth);
    }
  }
}

void Validator::check_additional(const Node& value, const Node& keyword, const Scope& scope) {
  if (value.kind != Kind::object) return;
  const Node* properties = scope.schema.find("properties");
  const std::vector<std::string_view> known = names_of(properties);
  for (const Node* member = value.first_child; member != nullptr; member = member->next) {
    if (member->bad_key || (properties != nullptr && properties->find(member->key) != nullptr)) {
      continue;
    }
    if (scope.out.size() >= kMostFindings) return;
    if (hook_ && hook_(value, *member, scope.out)) continue;
    if (keyword.kind == Kind::object) {
      check_value(*member, keyword, scope.out, scope.depth);
    } else if (!keyword.is_true()) {
      scope.out.push_back(
          at_key(*member, "unknown key " + quoted(member->key) + suggestion(member->key, known)));
    }
  }
}

void Validator::check_all(const Node& value, const Node& keyword, const Scope& scope) {
  for (const Node* each = keyword.first_child; each != nullptr; each = each->next) {
    check_value(value, *each, scope.out, scope.depth);
  }
}

std::size_t Validator::try_each(const Node& value, const Node& list, const Scope& scope,
                                Findings& nearest) {
  std::size_t fitting = 0;
  std::string expected;
  for (const Node* each = list.first_child; each != nullptr; each = each->next) {
    Findings findings;
    check_value(value, *each, findings, scope.depth);
    if (findings.empty()) {
      ++fitting;
      continue;
    }
    for (const Finding& finding : findings) {
      if (finding.offset == value.begin) add_type(expected, finding.expected);
    }
    if (nearest.empty() || badness(value, findings) < badness(value, nearest)) nearest = findings;
  }
  const bool only_types = !nearest.empty() && !nearest.front().expected.empty();
  if (only_types && nearest.front().offset == value.begin) nearest = {mismatch(value, expected)};
  return fitting;
}

void Validator::check_any(const Node& value, const Node& keyword, const Scope& scope) {
  Findings nearest;
  if (try_each(value, keyword, scope, nearest) > 0) return;
  scope.out.insert(scope.out.end(), nearest.begin(), nearest.end());
}

void Validator::check_one(const Node& value, const Node& keyword, const Scope& scope) {
  Findings nearest;
  const std::size_t fitting = try_each(value, keyword, scope, nearest);
  if (fitting == 1) return;
  if (fitting > 1) {
    scope.out.push_back(at_value(value, "ambiguous: it fits " + std::to_string(fitting) +
                                            " of the forms that are allowed here, and must fit "
                                            "one"));
    return;
  }
  scope.out.insert(scope.out.end(), nearest.begin(), nearest.end());
}

void Validator::check_not(const Node& value, const Node& keyword, const Scope& scope) {
  Findings findings;
  check_value(value, keyword, findings, scope.depth);
  if (!findings.empty()) return;
  scope.out.push_back(at_value(value, "not allowed here: " + shown(value)));
}

} // namespace swapmq::config
