// SPDX-License-Identifier: MIT
//
// Texts that are not JSON: one error, in plain words, at the place to mend.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "fake_schemas.h"

namespace swapmq::config {
namespace {

struct Case {
  std::string json;
  std::vector<std::string> errors; // "LINE:COLUMN: POINTER: MESSAGE"
};

const std::vector<Case> kCases = {
    {R"( )", {R"(1:1: the text is empty; expected an object, { ... })"}},
    {R"({ "message_queue": { "type": "memory", }
})",
     {R"(1:38: trailing comma before '}'; remove it)"}},
    {R"({ "message_queue": { "type": "memory" },, "log": {} })",
     {R"(1:41: a comma with nothing before it; remove it or add what is missing)"}},
    {R"({ "message_queue": { "type": "memory" } // comment
})",
     {R"(1:41: JSON has no comments; remove this one)"}},
    {R"(# hi
{})",
     {R"(1:1: JSON has no comments; remove this one)"}},
    {R"({ "message_queue": { "type": 'memory' } })",
     {R"(1:30: single quotes; JSON wants double quotes)"}},
    {R"({ "message_queue": { type: "memory" } })", {R"(1:22: a key needs double quotes)"}},
    {R"({ "message_queue": { "type": memory } })",
     {R"(1:30: an unquoted word; strings need double quotes)"}},
    {R"({ "message_queue": { "type": True } })", {R"(1:30: write true in lower case)"}},
    {R"({ "message_queue": { "type": tru } })",
     {R"(1:30: an unquoted word; strings need double quotes)"}},
    {R"({ "message_queue": { "type": "memory")",
     {R"(1:38: the text ends inside the object that begins at line 1, column 20: its '}' is missing)"}},
    {R"({ "message_queue": { "type": "memory)",
     {R"(1:30: this string is never closed; its '"' is missing)"}},
    {R"({ "message_queue": { "type": "mem	ory" } })",
     {R"(1:34: a tab inside a string is written \t)"}},
    {R"({ "message_queue": { "type": "mem\x" } })",
     {R"(1:34: not an escape that JSON knows: they are \" \\ \/ \b \f \n \r \t and \u with four hex digits (surrogates in pairs); write \\ for a backslash)"}},
    {R"({ "message_queue": { "type": "mem\ud800" } })",
     {R"(1:34: not an escape that JSON knows: they are \" \\ \/ \b \f \n \r \t and \u with four hex digits (surrogates in pairs); write \\ for a backslash)"}},
    {R"({ "message_queue": { "type" "memory" } })", {R"(1:29: expected ':' after the key)"}},
    {R"({ "message_queue": { "type": "memory" "max_retries": 3 } })",
     {R"(1:39: expected ',' or '}' after the value; a comma is missing before this string)"}},
    {R"({ "message_queue": { "type": "memory", "max_retries": 03 } })",
     {R"(1:55: a number is written in decimal, without leading zeros; quote it if it is a string)"}},
    {R"({ "message_queue": { "type": "memory", "max_retries": 0x3 } })",
     {R"(1:55: a number is written in decimal, without leading zeros; quote it if it is a string)"}},
    {R"({ "message_queue": { "type": "memory", "max_retries": .3 } })",
     {R"(1:55: a number needs a digit before its '.')"}},
    {R"({ "message_queue": { "type": "memory", "max_retries": +3 } })",
     {R"(1:55: a number has no leading '+')"}},
    {R"({ "message_queue": { "type": "memory", "max_retries": 3. } })",
     {R"(1:57: a number is not complete: a digit is missing here)"}},
    {R"({ "message_queue": { "type": "memory", "max_retries": 3e } })",
     {R"(1:57: a number is not complete: a digit is missing here)"}},
    {R"({ "message_queue": { "type": "memory", "max_retries": - } })",
     {R"(1:55: a '-' without a number)"}},
    {R"({ "message_queue": { "type": "memory", "max_retries": NaN } })",
     {R"(1:55: a number must be finite)"}},
    {R"({ "message_queue": { "type": "memory", "max_retries": -Infinity } })",
     {R"(1:55: a number must be finite)"}},
    {R"({ "message_queue": { "type": "memory" } } })",
     {R"(1:43: expected nothing more after the end of the object; found '}')"}},
    {R"({ "message_queue": { "type": "memory" } } {})",
     {R"(1:43: expected nothing more after the end of the object; a comma is missing before this value)"}},
    {R"({ "message_queue": { "type": "memory", "max_retries": 3 ] })",
     {R"(1:57: expected ',' or '}' after the value; found ']')"}},
    {R"({ "message_queue": [ 1 2 ] })",
     {R"(1:24: expected ',' or ']' after the value; a comma is missing before this value)"}},
    {R"({ "message_queue": [ 1, ] })", {R"(1:23: trailing comma before ']'; remove it)"}},
    {R"({ “message_queue”: 1 })", {R"(1:3: a typographic quote; use the plain double quote)"}},
    {R"(,)", {R"(1:1: expected an object, { ... })"}},
    {R"({ "message_queue": { "type": "memory"; "a": 1 } })",
     {R"(1:38: expected ',' or '}' after the value)"}},
    {R"({ "message_queue": { : 1 } })", {R"(1:22: expected a key in double quotes or '}')"}},
    {R"({ "message_queue": { "type": } })",
     {R"(1:30: expected a value: a string in double quotes, a number, true, false, null, { or [)"}},
};

TEST(ConfigSyntax, EveryErrorIsPlacedAndSaid) {
  for (const Case& each : kCases) {
    EXPECT_THAT(errors_of(each.json), testing::ElementsAreArray(each.errors)) << each.json;
  }
}

} // namespace
} // namespace swapmq::config
