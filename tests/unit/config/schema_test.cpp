// SPDX-License-Identifier: MIT
//
// Every keyword of the schemas that plugins carry: what it lets through, what it says otherwise.
#include "config/schema.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fake_schemas.h"

namespace swapmq::config {
namespace {

struct Case {
  std::string schema;
  std::string value;
  std::vector<std::string> errors; // "POINTER: MESSAGE"
};

const std::vector<Case> kValues = {
    {R"({})", R"([1, {"a": null}])", {}},
    {R"({"type": "integer"})", "5", {}},
    {R"({"type": "integer"})", "5.0", {": expected an integer, got 5.0"}},
    {R"({"type": "number"})", "5", {}},
    {R"({"type": ["string", "null", "boolean"]})", "null", {}},
    {R"({"type": ["string", "null", "boolean"]})",
     "7",
     {": expected a string or null or true or false, got 7"}},
    {R"({"enum": [1, "a", [2], {"x": 1, "y": 2}]})", "1.0", {}},
    {R"({"enum": [1, "a", [2], {"x": 1, "y": 2}]})", R"({"y": 2, "x": 1})", {}},
    {R"({"enum": [1, "a", [2], null]})", "2", {R"(: must be one of 1, "a", ..., null, got 2)"}},
    {R"({"minimum": 2, "maximum": 4})", "2", {}},
    {R"({"minimum": 2, "maximum": 4})", "4.5", {": must be from 2 to 4, got 4.5"}},
    {R"({"minimum": 2, "exclusiveMinimum": true})", "2", {": must be above 2, got 2"}},
    {R"({"maximum": 2, "exclusiveMaximum": true})", "2", {": must be below 2, got 2"}},
    {R"({"maximum": 2, "exclusiveMaximum": false})", "2", {}},
    {R"({"minimum": 0})", "-0.5", {": must be at least 0, got -0.5"}},
    {R"({"maximum": 18446744073709551614})",
     "18446744073709551615",
     {": must be at most 18446744073709551614, got 18446744073709551615"}},
    {R"({"multipleOf": 4096})", "8192", {}},
    {R"({"multipleOf": 4096})", "8193", {": must be a multiple of 4096, got 8193"}},
    {R"({"multipleOf": 0.1})", "0.3", {}},
    {R"({"multipleOf": 0.1})", "0.35", {": must be a multiple of 0.1, got 0.35"}},
    {R"({"minLength": 2, "maxLength": 3})", R"("äöü")", {}},
    {R"({"minLength": 2})", R"("ä")", {": must have at least 2 characters"}},
    {R"({"maxLength": 1})", R"("ab")", {": must have at most 1 character"}},
    {R"({"pattern": "^a+$"})", R"("aaa")", {}},
    {R"({"pattern": "^a+$"})", R"("ab")", {R"(: must match ^a+$, got the string "ab")"}},
    {R"({"items": {"type": "integer"}})",
     "[1, \"x\", 2, true]",
     {R"(/1: expected an integer, got the string "x")", "/3: expected an integer, got true"}},
    {R"({"minItems": 1, "maxItems": 2})", "[]", {": must have at least 1 item, has 0"}},
    {R"({"minItems": 1, "maxItems": 2})", "[1, 2, 3]", {": must have at most 2 items, has 3"}},
    {R"({"uniqueItems": true})",
     R"([1, "1", [1], 1.0])",
     {"/3: the same value stands in this array already; remove one"}},
    {R"({"minProperties": 1})", "{}", {": must have at least 1 key, has 0"}},
    {R"({"maxProperties": 1})", R"({"a": 1, "b": 2})", {": must have at most 1 key, has 2"}},
    {R"({"required": ["a", "b"]})", R"({"b": 1})", {": missing key \"a\""}},
    {R"({"properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "integer"}})",
     R"({"a": 1, "b": 2, "c": "x"})",
     {"/a: expected a string, got 1", R"(/c: expected an integer, got the string "x")"}},
    {R"({"additionalProperties": false})",
     R"({"a": 1})",
     {"/a: unknown key \"a\"; none is allowed here"}},
    {R"({"properties": {"a": {}}, "additionalProperties": true})", R"({"b": 1})", {}},
    {R"({"allOf": [{"type": "integer"}, {"minimum": 5}]})", "3", {": must be at least 5, got 3"}},
    {R"({"anyOf": [{"type": "string"}, {"type": "object"}]})",
     "3",
     {": expected a string or an object, got 3"}},
    {R"({"anyOf": [{"type": "string"}, {"type": "object", "required": ["host", "port"],
         "properties": {"port": {"type": "integer"}}}]})",
     R"({"host": "h", "port": "p"})",
     {R"(/port: expected an integer, got the string "p")"}},
    {R"({"anyOf": [{"type": "string"}, {"type": "integer"}]})", "3", {}},
    {R"({"oneOf": [{"minimum": 1}, {"maximum": 5}]})",
     "3",
     {": ambiguous: it fits 2 of the forms that are allowed here, and must fit one"}},
    {R"({"oneOf": [{"minimum": 5}, {"type": "string"}]})", "3", {": must be at least 5, got 3"}},
    {R"({"oneOf": [{"minimum": 1}, {"type": "string"}]})", "3", {}},
    {R"({"not": {"enum": ["guest"]}})",
     R"("guest")",
     {R"(: not allowed here: the string "guest")"}},
    {R"({"definitions": {"p/q": {"type": "integer"}}, "properties":
         {"a": {"$ref": "#/definitions/p~1q", "description": "x"}}})",
     R"({"a": "x"})",
     {R"(/a: expected an integer, got the string "x")"}},
    {R"({"properties": {"next": {"$ref": "#"}}, "additionalProperties": false})",
     R"({"next": {"next": {"nxt": 1}}})",
     {R"(/next/next/nxt: unknown key "nxt"; did you mean "next"?)"}},
};

TEST(ConfigSchema, EveryKeywordChecksAndSays) {
  for (const Case& each : kValues) {
    EXPECT_THAT(violations(each.schema, each.value), testing::ElementsAreArray(each.errors))
        << each.schema << "\n"
        << each.value;
  }
}

struct Trouble {
  std::string schema;
  std::string why;
};

const std::vector<Trouble> kTroubles = {
    {"", "line 1, column 1: the text is empty; expected an object, { ... }"},
    {"[]", "the whole: a schema must be an object"},
    {R"({"type": "text"})", "/type: not a type of JSON Schema"},
    {R"({"type": ["string", 3]})", "/type/1: not a type of JSON Schema"},
    {R"({"type": []})", "/type: must name at least one type"},
    {R"({"properties": {"a": 3}})", "/properties/a: a schema must be an object"},
    {R"({"required": "a"})", "/required: must be an array of at least one of strings"},
    {R"({"required": true})", "/required: must be an array of at least one of strings"},
    {R"({"enum": []})", "/enum: must be an array with at least one value"},
    {R"({"minimum": "1"})", "/minimum: must be a number"},
    {R"({"minimum": 1, "exclusiveMinimum": 1})",
     "/exclusiveMinimum: must be true or false (draft 4)"},
    {R"({"exclusiveMaximum": true})", "/exclusiveMaximum: goes with \"maximum\", which is missing"},
    {R"({"multipleOf": 0})", "/multipleOf: must be above 0"},
    {R"({"minLength": -1})", "/minLength: must be an integer, 0 or more"},
    {R"({"pattern": "("})",
     "/pattern: not a regular expression of ECMAScript without back-references"},
    {R"({"pattern": "(a)\\1"})",
     "/pattern: not a regular expression of ECMAScript without back-references"},
    {R"({"items": [{}]})", "/items: must be a schema, an object"},
    {R"({"anyOf": [3]})", "/anyOf: must be an array of at least one of schemas"},
    {R"({"$ref": "http://example.com/x"})",
     "/$ref: must be \"#\" or \"#/definitions/NAME\" and lead somewhere"},
    {R"({"$ref": "#/definitions/none"})",
     "/$ref: must be \"#\" or \"#/definitions/NAME\" and lead somewhere"},
    {R"({"$ref": "#", "minimum": 1})",
     "/minimum: beside \"$ref\" it would be ignored; put both into \"allOf\""},
    {R"({"patternProperties": {}})",
     "/patternProperties: swapmq does not know the construct \"patternProperties\""},
    {R"({"definitions": {"a": {"format": "uri"}}})",
     "/definitions/a/format: swapmq does not know the construct \"format\""},
    {R"({"title": "x", "title": "y"})",
     "line 1, column 16: key \"title\" is given twice; first at line 1, column 2"},
};

TEST(ConfigSchema, WhatIsNotUnderstoodIsNeverIgnored) {
  for (const Trouble& each : kTroubles) EXPECT_EQ(schema_trouble(each.schema), each.why);
}

TEST(ConfigSchema, SelfReferenceWithoutEndIsAnError) {
  const std::string loop =
      R"({"definitions": {"a": {"$ref": "#/definitions/b"}, "b": {"$ref": "#/definitions/a"}},
          "allOf": [{"$ref": "#/definitions/a"}]})";
  const auto found = violations(loop, "1");
  ASSERT_EQ(found.size(), 1u);
  EXPECT_THAT(found[0], testing::HasSubstr("too complex to check"));
}

TEST(ConfigSchema, AlternativesThatMultiplyAreBounded) {
  const std::string tree = R"({"anyOf": [{"type": "integer"},
      {"type": "array", "items": {"$ref": "#"}}, {"type": "array", "items": {"$ref": "#"}}]})";
  std::string value = "\"x\"";
  for (int i = 0; i < 60; ++i) value = "[" + value + "]";
  EXPECT_THAT(violations(tree, value), testing::Contains(testing::HasSubstr("too complex")));
}

TEST(ConfigSchema, PatternsDoNotExplode) {
  const std::string text = '"' + std::string(kMaxMatchedBytes - 1, 'a') + "b\"";
  EXPECT_EQ(violations(R"({"pattern": "^(a+)+$"})", text).size(), 1u);
  const std::string longer = '"' + std::string(kMaxMatchedBytes + 1, 'a') + '"';
  EXPECT_THAT(violations(R"({"pattern": "^a*$"})", longer),
              testing::ElementsAre(": a string of more than 4096 bytes cannot be checked against "
                                   "its pattern; shorten it"));
}

} // namespace
} // namespace swapmq::config
