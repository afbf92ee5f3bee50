// SPDX-License-Identifier: MIT
#include "config/schema.h"

#include <array>
#include <utility>

#include "config/text.h"

namespace swapmq::config {
namespace {

// What the value of a keyword has to look like.
enum Form : int {
  kAnnotation, // says nothing about a value
  kTypes,
  kMembers, // name -> schema
  kNames,   // array of strings
  kBooleanOrSchema,
  kValues, // array of anything
  kNumber,
  kPositiveNumber,
  kFlag,
  kCount,
  kPattern,
  kSchema,
  kSchemas,
  kReference,
};

constexpr std::array<std::pair<std::string_view, Form>, 36> kKeywords = {{
    {"$schema", kAnnotation},
    {"id", kAnnotation},
    {"title", kAnnotation},
    {"description", kAnnotation},
    {"default", kAnnotation},
    {"type", kTypes},
    {"properties", kMembers},
    {"definitions", kMembers},
    {"required", kNames},
    {"additionalProperties", kBooleanOrSchema},
    {"minProperties", kCount},
    {"maxProperties", kCount},
    {"enum", kValues},
    {"minimum", kNumber},
    {"maximum", kNumber},
    {"exclusiveMinimum", kFlag},
    {"exclusiveMaximum", kFlag},
    {"multipleOf", kPositiveNumber},
    {"minLength", kCount},
    {"maxLength", kCount},
    {"pattern", kPattern},
    {"items", kSchema},
    {"minItems", kCount},
    {"maxItems", kCount},
    {"uniqueItems", kFlag},
    {"anyOf", kSchemas},
    {"oneOf", kSchemas},
    {"allOf", kSchemas},
    {"not", kSchema},
    {"$ref", kReference},
    {"$comment", kAnnotation},
    // Of an option:
    {"x-swapmq-address", kFlag}, // it says where the backend is
    {"x-swapmq-path", kFlag},    // it is a path, and relative to the config's folder
    {"x-swapmq-unit", kAnnotation},
    {"x-swapmq-since", kAnnotation},
    {"x-swapmq-example", kAnnotation},
}};

} // namespace

Schema::Schema(std::string_view json)
    : document_(json.size() <= kMaxTextBytes ? json : std::string_view("{}")) {
  if (json.size() > kMaxTextBytes) {
    error_ = "it has more than " + std::to_string(kMaxTextBytes) + " bytes";
    return;
  }
  if (!document_.findings().empty()) {
    const Finding& finding = document_.findings().front();
    const Position at = SourceMap(json).locate(finding.offset);
    error_ = "line " + std::to_string(at.line) + ", column " + std::to_string(at.column) + ": " +
             finding.message;
    return;
  }
  check_schema(*document_.root());
}

void Schema::wrong(const Node& at, const std::string& why) {
  if (!error_.empty()) return; // the first is enough: it is the plugin's author who mends it
  const std::string pointer = pointer_of(at);
  error_ = (pointer.empty() ? "the whole" : one_line(pointer)) + ": " + why;
}

void Schema::check_schema(const Node& schema) {
  if (schema.kind != Kind::object) return wrong(schema, "a schema must be an object");
  check_reference(schema);
  for (const Node* keyword = schema.first_child; keyword != nullptr; keyword = keyword->next) {
    check_keyword(*keyword);
  }
  for (const char* bound : {"minimum", "maximum"}) {
    const std::string exclusive =
        std::string("exclusive") + (bound[1] == 'i' ? "Minimum" : "Maximum");
    if (const Node* flag = schema.find(exclusive); flag != nullptr && !schema.find(bound)) {
      wrong(*flag, "goes with \"" + std::string(bound) + "\", which is missing");
    }
  }
}

void Schema::check_reference(const Node& schema) {
  const Node* reference = schema.find("$ref");
  if (reference == nullptr) return;
  for (const Node* other = schema.first_child; other != nullptr; other = other->next) {
    const bool says_nothing = other->key == "title" || other->key == "description" ||
                              other->key == "default" || other->key == "$comment" ||
                              other->key.starts_with("x-swapmq-");
    if (other != reference && !says_nothing) {
      wrong(*other, "beside \"$ref\" it would be ignored; put both into \"allOf\"");
    }
  }
}

void Schema::check_keyword(const Node& keyword) {
  for (const auto& [name, form] : kKeywords) {
    if (keyword.key == name) return check_form(keyword, form);
  }
  wrong(keyword, "swapmq does not know the construct " + quoted(keyword.key));
}

void Schema::check_form(const Node& keyword, int form) {
  const bool schema = keyword.kind == Kind::object;
  switch (form) {
    case kTypes:
      return check_types(keyword);
    case kMembers:
      return check_members(keyword);
    case kNames:
      return check_list(keyword, Kind::string);
    case kBooleanOrSchema:
      if (keyword.kind == Kind::boolean) return;
      return schema ? check_schema(keyword) : wrong(keyword, "must be a boolean or a schema");
    case kValues:
      if (keyword.kind == Kind::array && keyword.child_count > 0) return;
      return wrong(keyword, "must be an array with at least one value");
    case kNumber:
      if (!keyword.is_number()) wrong(keyword, "must be a number");
      return;
    case kPositiveNumber:
      if (!keyword.is_number() || number_of(keyword) <= 0) wrong(keyword, "must be above 0");
      return;
    case kFlag:
      if (keyword.kind != Kind::boolean) wrong(keyword, "must be true or false (draft 4)");
      return;
    case kCount:
      if (keyword.kind != Kind::integer || number_of(keyword) < 0) {
        wrong(keyword, "must be an integer, 0 or more");
      }
      return;
    case kPattern:
      return check_pattern(keyword);
    case kSchema:
      return schema ? check_schema(keyword) : wrong(keyword, "must be a schema, an object");
    case kSchemas:
      check_list(keyword, Kind::object);
      for (const Node* each = keyword.first_child; each != nullptr; each = each->next) {
        check_schema(*each);
      }
      return;
    case kReference:
      if (keyword.kind != Kind::string || resolve(keyword.text) == nullptr) {
        wrong(keyword, "must be \"#\" or \"#/definitions/NAME\" and lead somewhere");
      }
      return;
    default: // an annotation
      return;
  }
}

void Schema::check_types(const Node& keyword) {
  const auto check_one = [&](const Node& type) {
    for (const char* known :
         {"null", "boolean", "integer", "number", "string", "array", "object"}) {
      if (type.kind == Kind::string && type.text == known) return;
    }
    wrong(type, "not a type of JSON Schema");
  };
  if (keyword.kind != Kind::array) return check_one(keyword);
  if (keyword.child_count == 0) wrong(keyword, "must name at least one type");
  for (const Node* type = keyword.first_child; type != nullptr; type = type->next) {
    check_one(*type);
  }
}

void Schema::check_members(const Node& keyword) {
  if (keyword.kind != Kind::object) return wrong(keyword, "must be an object");
  for (const Node* each = keyword.first_child; each != nullptr; each = each->next) {
    check_schema(*each);
  }
}

void Schema::check_list(const Node& keyword, Kind each) {
  const std::string_view what = each == Kind::string ? "strings" : "schemas";
  bool right = keyword.kind == Kind::array && keyword.child_count > 0;
  for (const Node* item = keyword.first_child; right && item != nullptr; item = item->next) {
    right = item->kind == each;
  }
  if (!right) wrong(keyword, "must be an array of at least one of " + std::string(what));
}

void Schema::check_pattern(const Node& keyword) {
  if (keyword.kind != Kind::string) return wrong(keyword, "must be a string");
  if (keyword.text.size() > kMaxPatternBytes) {
    return wrong(keyword, "a pattern of more than " + std::to_string(kMaxPatternBytes) + " bytes");
  }
  auto compiled = Pattern::compile(keyword.text);
  if (!compiled) {
    return wrong(keyword, "not a regular expression of ECMAScript without back-references");
  }
  patterns_.emplace(&keyword, std::move(compiled));
}

const Node* Schema::resolve(std::string_view reference) const {
  constexpr std::string_view kPrefix = "#/definitions/";
  if (reference == "#") return document_.root();
  if (!reference.starts_with(kPrefix)) return nullptr;
  std::string name;
  for (std::size_t i = kPrefix.size(); i < reference.size(); ++i) {
    const std::string_view rest = reference.substr(i);
    if (rest.starts_with("~0") || rest.starts_with("~1")) {
      name += reference[++i] == '0' ? '~' : '/';
    } else if (rest[0] == '/' || rest[0] == '~' || rest[0] == '%') {
      return nullptr; // deeper paths and escapes of URIs are not supported
    } else {
      name += rest[0];
    }
  }
  const Node* definitions = document_.root()->find("definitions");
  return definitions == nullptr ? nullptr : definitions->find(name);
}

bool Schema::matches(const Node& pattern, std::string_view text) const {
  const auto found = patterns_.find(&pattern);
  return found == patterns_.end() || found->second->found_in(text);
}

} // namespace swapmq::config
