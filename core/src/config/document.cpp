// SPDX-License-Identifier: MIT
#include "config/document.h"

#include <rapidjson/error/error.h>
#include <rapidjson/memorystream.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <unordered_map>

#include "config/document_builder.h"
#include "config/syntax.h"
#include "config/text.h"

namespace swapmq::config {
namespace {

constexpr unsigned kReaderFlags =
    rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag;
// The reader stops at a number beyond double; so many are reported beside other errors.
constexpr int kMostHugeNumbers = 16;
constexpr const char* kOutOfRange =
    "number out of range: an integer must fit in 64 bits, any other number in a double";

Awaited awaited(rapidjson::ParseErrorCode code) {
  switch (code) {
    case rapidjson::kParseErrorDocumentEmpty:
      return Awaited::document;
    case rapidjson::kParseErrorDocumentRootNotSingular:
      return Awaited::end;
    case rapidjson::kParseErrorObjectMissName:
      return Awaited::key;
    case rapidjson::kParseErrorObjectMissColon:
      return Awaited::colon;
    case rapidjson::kParseErrorObjectMissCommaOrCurlyBracket:
      return Awaited::object_next;
    case rapidjson::kParseErrorArrayMissCommaOrSquareBracket:
      return Awaited::array_next;
    case rapidjson::kParseErrorStringUnicodeEscapeInvalidHex:
    case rapidjson::kParseErrorStringUnicodeSurrogateInvalid:
    case rapidjson::kParseErrorStringEscapeInvalid:
    case rapidjson::kParseErrorStringMissQuotationMark:
    case rapidjson::kParseErrorStringInvalidEncoding:
      return Awaited::string;
    case rapidjson::kParseErrorNumberMissFraction:
    case rapidjson::kParseErrorNumberMissExponent:
      return Awaited::number;
    default:
      return Awaited::value;
  }
}

Stop stopped(const DocumentBuilder& builder, rapidjson::ParseErrorCode code, std::size_t offset) {
  Stop stop;
  stop.awaited = awaited(code);
  stop.offset = offset;
  stop.token_begin = stop.awaited == Awaited::string ? builder.next_token() : builder.last_token();
  if (const Node* open = builder.container()) {
    stop.container = open->begin;
    stop.contained = true;
  }
  return stop;
}

bool number_in_range(const Node& node) {
  const char* begin = node.text.data();
  const char* end = begin + node.text.size();
  if (node.kind == Kind::number) {
    double value = 0;
    return std::from_chars(begin, end, value).ec == std::errc();
  }
  std::int64_t negative = 0;
  std::uint64_t positive = 0;
  return std::from_chars(begin, end, negative).ec == std::errc() ||
         std::from_chars(begin, end, positive).ec == std::errc();
}

/// A byte that no JSON text may hold, if there is one.
std::optional<SyntaxError> foreign_byte(std::string_view text) {
  const std::size_t nul = text.find('\0');
  const auto invalid = find_invalid_utf8(text);
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    return SyntaxError{0, "the text is UTF-16; save it as UTF-8"};
  }
  if (invalid && *invalid < nul) {
    char byte[8];
    std::snprintf(byte, sizeof byte, "0x%02X", static_cast<unsigned char>(text[*invalid]));
    return SyntaxError{*invalid,
                       std::string("byte ") + byte + " is not UTF-8 here; save the file as UTF-8"};
  }
  if (nul != std::string_view::npos) {
    return SyntaxError{nul, "a NUL byte; a config is text"};
  }
  return std::nullopt;
}

} // namespace

Document::Document(std::string_view text) : text_(text.begin(), text.end()) { parse(); }

void Document::report(std::size_t offset, std::string pointer, std::string message) {
  if (findings_.size() >= kMostFindings) return;
  findings_.push_back({offset, std::move(pointer), std::move(message), Errc::config, {}});
}

std::string_view Document::source(const Node& node) const {
  return std::string_view(text_.data(), text_.size()).substr(node.begin, node.end - node.begin);
}

void Document::parse() {
  const std::string_view text(text_.data(), text_.size());
  if (const auto found = foreign_byte(text)) {
    report(found->offset, {}, found->message);
    return;
  }
  std::vector<char> readable = text_; // numbers beyond double are blanked out in it
  strings_.reserve(text.size());
  for (int huge = 0;; ++huge) {
    nodes_.clear();
    strings_.clear();
    DocumentBuilder builder(*this, text);
    rapidjson::MemoryStream stream(readable.data(), readable.size());
    rapidjson::Reader reader;
    const rapidjson::ParseResult result = reader.Parse<kReaderFlags>(stream, builder);
    if (!result.IsError()) break;
    root_ = nullptr;
    const std::size_t offset = result.Offset();
    if (builder.too_deep()) {
      report(offset, {}, "nested too deeply: at most " + std::to_string(kMaxDepth) + " levels");
      return;
    }
    if (result.Code() != rapidjson::kParseErrorNumberTooBig) {
      const SyntaxError error = explain(text, stopped(builder, result.Code(), offset));
      report(error.offset, {}, error.message);
      return;
    }
    if (huge == kMostHugeNumbers) {
      report(offset, {}, kOutOfRange);
      return;
    }
    std::size_t end = text.find_first_not_of("+-.eE0123456789", offset);
    if (end == std::string_view::npos) end = text.size();
    readable[offset] = '1';
    for (std::size_t i = offset + 1; i < end; ++i) readable[i] = ' ';
  }
  const SourceMap places(text);
  for (Node& node : nodes_) inspect(node, places);
}

void Document::inspect_key(Node& node) {
  const std::string where = pointer_of(*node.parent);
  if (node.key.size() > kMaxKeyBytes) {
    report(node.key_begin, where,
           "a key of " + std::to_string(node.key.size()) + " bytes; at most " +
               std::to_string(kMaxKeyBytes) + " are allowed");
  } else if (node.key.find('\0') != std::string_view::npos) {
    report(node.key_begin, where, "a NUL (\\u0000) in a key; remove it");
  } else if (find_invalid_utf8(node.key)) {
    report(node.key_begin, where, "a lone surrogate (\\uD800 to \\uDFFF) in a key");
  } else {
    return;
  }
  node.bad_key = true;
}

void Document::inspect(Node& node, const SourceMap& places) {
  if (node.parent != nullptr) {
    node.bad_key = node.parent->bad_key; // parents come first
    if (node.bad_key) return;
    if (node.parent->kind == Kind::object) inspect_key(node);
    if (node.bad_key) return;
  }
  if (node.is_number() && !number_in_range(node)) {
    node.bad_value = true;
    report(node.begin, pointer_of(node), kOutOfRange);
  } else if (node.kind == Kind::string && node.text.find('\0') != std::string_view::npos) {
    node.bad_value = true;
    report(node.begin, pointer_of(node), "a NUL (\\u0000) in a string; remove it");
  } else if (node.kind == Kind::string && find_invalid_utf8(node.text)) {
    node.bad_value = true;
    report(node.begin, pointer_of(node), "a lone surrogate (\\uD800 to \\uDFFF) in a string");
  } else if (node.kind == Kind::object) {
    find_duplicates(node, places);
  }
}

void Document::find_duplicates(const Node& object, const SourceMap& places) {
  std::unordered_map<std::string_view, const Node*> first;
  for (const Node* member = object.first_child; member != nullptr; member = member->next) {
    const auto [at, inserted] = first.emplace(member->key, member);
    if (inserted || member->key.size() > kMaxKeyBytes) continue;
    if (findings_.size() >= kMostFindings) return;
    const Position place = places.locate(at->second->key_begin);
    report(member->key_begin, pointer_of(*member),
           "key " + quoted(member->key) + " is given twice; first at line " +
               std::to_string(place.line) + ", column " + std::to_string(place.column));
  }
}

} // namespace swapmq::config
