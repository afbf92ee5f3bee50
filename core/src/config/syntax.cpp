// SPDX-License-Identifier: MIT
#include "config/syntax.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <optional>

#include "config/text.h"

namespace swapmq::config {
namespace {

bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool digit(char c) { return c >= '0' && c <= '9'; }
bool blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// Offset of the last byte before `offset` that is not white space.
std::optional<std::size_t> significant_before(std::string_view text, std::size_t offset) {
  while (offset > 0) {
    if (!blank(text[--offset])) return offset;
  }
  return std::nullopt;
}

std::string place(std::string_view text, std::size_t offset) {
  const Position at = SourceMap(text).locate(offset);
  return "line " + std::to_string(at.line) + ", column " + std::to_string(at.column);
}

std::string wanted(Awaited awaited) {
  switch (awaited) {
    case Awaited::document:
      return "expected an object, { ... }";
    case Awaited::end:
      return "expected nothing more after the end of the object";
    case Awaited::value:
      return "expected a value";
    case Awaited::key:
      return "expected a key in double quotes or '}'";
    case Awaited::colon:
      return "expected ':' after the key";
    case Awaited::object_next:
      return "expected ',' or '}' after the value";
    case Awaited::array_next:
      return "expected ',' or ']' after the value";
    case Awaited::number:
    case Awaited::string:
      break;
  }
  return "expected a value";
}

SyntaxError at_end(std::string_view text, const Stop& stop) {
  if (stop.awaited == Awaited::document) {
    return {0, "the text is empty; " + wanted(Awaited::document)};
  }
  std::string message = "the text ends too early; " + wanted(stop.awaited);
  if (stop.contained) {
    const bool object = text[stop.container] == '{';
    message = std::string("the text ends inside the ") + (object ? "object" : "array") +
              " that begins at " + place(text, stop.container) + ": its '" + (object ? '}' : ']') +
              "' is missing";
  }
  return {text.size(), std::move(message)};
}

std::optional<SyntaxError> foreign_character(std::string_view text, std::size_t offset) {
  const std::string_view rest = text.substr(offset);
  if (rest.starts_with("//") || rest.starts_with("/*") || rest.starts_with('#')) {
    return SyntaxError{offset, "JSON has no comments; remove this one"};
  }
  if (rest.starts_with('\'')) {
    return SyntaxError{offset, "single quotes; JSON wants double quotes"};
  }
  if (rest.starts_with("\u201C") || rest.starts_with("\u201D") || rest.starts_with("\u2018") ||
      rest.starts_with("\u2019")) {
    return SyntaxError{offset, "a typographic quote; use the plain double quote"};
  }
  if (rest.starts_with("\u00A0") || rest.starts_with("\uFEFF")) {
    return SyntaxError{offset,
                       "a space that is not JSON's (no-break space or byte order mark); "
                       "replace it with a plain space"};
  }
  return std::nullopt;
}

std::optional<SyntaxError> misplaced_comma(std::string_view text, std::size_t offset) {
  const char found = text[offset];
  const auto before = significant_before(text, offset);
  const char last = before ? text[*before] : '\0';
  if ((found == '}' || found == ']') && last == ',') {
    return SyntaxError{*before, std::string("trailing comma before '") + found + "'; remove it"};
  }
  if (found == ',' && (last == ',' || last == '[' || last == '{' || last == ':')) {
    return SyntaxError{offset, "a comma with nothing before it; remove it or add what is missing"};
  }
  return std::nullopt;
}

bool same_word(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

/// The hint for an unquoted word where a value should be. The word itself is not shown, except a
/// known one.
std::string word_hint(std::string_view word) {
  for (const std::string_view known : {"true", "false", "null"}) {
    if (same_word(word, known)) return "write " + std::string(known) + " in lower case";
  }
  for (const std::string_view known : {"yes", "no", "on", "off"}) {
    if (same_word(word, known)) return "write true or false";
  }
  for (const std::string_view known : {"nan", "inf", "infinity"}) {
    if (same_word(word, known)) return "a number must be finite";
  }
  for (const std::string_view known : {"none", "undefined", "nil"}) {
    if (same_word(word, known)) return "write null, or leave the key out";
  }
  return "an unquoted word; strings need double quotes";
}

SyntaxError wrong_value(std::string_view text, const Stop& stop) {
  std::size_t begin = std::min(stop.offset, text.size());
  // A literal such as "tru" is found wrong only behind its good part.
  while (begin > 0 && (letter(text[begin - 1]) || digit(text[begin - 1]) ||
                       text[begin - 1] == '-' || text[begin - 1] == '+')) {
    --begin;
  }
  const std::string_view rest = text.substr(begin);
  const std::size_t sign = rest.starts_with('-') || rest.starts_with('+') ? 1 : 0;
  std::size_t word_end = sign;
  while (word_end < rest.size() && letter(rest[word_end])) ++word_end;
  if (rest.starts_with('+')) return {begin, "a number has no leading '+'"};
  if (rest.starts_with('.')) return {begin, "a number needs a digit before its '.'"};
  if (word_end > sign) return {begin, word_hint(rest.substr(sign, word_end - sign))};
  if (sign > 0) return {begin, "a '-' without a number"};
  return {begin, wanted(Awaited::value) +
                     ": a string in double quotes, a number, true, false, null, { or ["};
}

SyntaxError wrong_next(std::string_view text, const Stop& stop) {
  const char found = text[stop.offset];
  const char last = stop.offset > 0 ? text[stop.offset - 1] : '\0';
  if (last == '0' && (digit(found) || letter(found)) && stop.token_begin < stop.offset) {
    return {stop.token_begin,
            "a number is written in decimal, without leading zeros; quote it if it is a string"};
  }
  std::string message = wanted(stop.awaited);
  if (found == '"') message += "; a comma is missing before this string";
  if (found == ':') message += "; found ':'";
  if (found == ']' || found == '}') message += std::string("; found '") + found + "'";
  if (letter(found)) message += "; found an unquoted word";
  if (digit(found) || found == '-' || found == '{' || found == '[') {
    message += "; a comma is missing before this value";
  }
  return {stop.offset, std::move(message)};
}

SyntaxError wrong_key(std::string_view text, const Stop& stop) {
  const char found = text[stop.offset];
  if (letter(found) || digit(found)) return {stop.offset, "a key needs double quotes"};
  return {stop.offset, wanted(Awaited::key)};
}

SyntaxError wrong_string(std::string_view text, const Stop& stop) {
  if (stop.offset >= text.size()) {
    return {stop.token_begin, "this string is never closed; its '\"' is missing"};
  }
  const char found = text[stop.offset];
  if (found == '\n' || found == '\r') {
    return {stop.token_begin,
            "this string does not end on its line; close it with '\"' (a line "
            "break inside is written \\n)"};
  }
  if (found == '\t') return {stop.offset, "a tab inside a string is written \\t"};
  if (found == '\\') {
    return {stop.offset,
            "not an escape that JSON knows: they are \\\" \\\\ \\/ \\b \\f \\n \\r \\t "
            "and \\u with four hex digits (surrogates in pairs); write \\\\ for a "
            "backslash"};
  }
  return {stop.offset, "a control character inside a string; write it as \\u00XX"};
}

} // namespace

SyntaxError explain(std::string_view text, const Stop& stop) {
  if (stop.awaited == Awaited::string) return wrong_string(text, stop);
  if (stop.awaited == Awaited::number) {
    return {stop.offset, "a number is not complete: a digit is missing here"};
  }
  if (stop.offset >= text.size() &&
      !(stop.awaited == Awaited::value && !text.empty() && letter(text.back()))) {
    return at_end(text, stop);
  }
  if (stop.offset < text.size()) {
    if (auto found = foreign_character(text, stop.offset)) return *found;
    if (auto found = misplaced_comma(text, stop.offset)) return *found;
  }
  switch (stop.awaited) {
    case Awaited::value:
      return wrong_value(text, stop);
    case Awaited::key:
      return wrong_key(text, stop);
    case Awaited::object_next:
    case Awaited::array_next:
    case Awaited::end:
      return wrong_next(text, stop);
    default:
      return {stop.offset, wanted(stop.awaited)};
  }
}

} // namespace swapmq::config
