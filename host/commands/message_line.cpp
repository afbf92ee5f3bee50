// SPDX-License-Identifier: MIT
#include "commands/message_line.h"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

#include <algorithm>
#include <array>
#include <set>
#include <vector>

#include "json_output.h"
#include "quantity.h"
#include "suggestion.h"
#include "table.h"

namespace swapmq::host {
namespace {

using rapidjson::Value;

constexpr std::string_view base64_suffix = "_base64";
constexpr std::size_t longest_id = 255, longest_header_name = 255;
constexpr std::uint32_t highest_priority = 9;

struct TextKey {
  std::string_view name;
  std::string MessageLine::*target;
};
constexpr std::array<TextKey, 6> text_keys{{{"body", &MessageLine::body},
                                            {"id", &MessageLine::id},
                                            {"ordering_key", &MessageLine::ordering_key},
                                            {"correlation_id", &MessageLine::correlation_id},
                                            {"reply_to", &MessageLine::reply_to},
                                            {"content_type", &MessageLine::content_type}}};
struct TimeKey {
  std::string_view name;
  std::optional<milliseconds> MessageLine::*target;
};
constexpr std::array<TimeKey, 2> time_keys{
    {{"delay", &MessageLine::delay}, {"ttl", &MessageLine::ttl}}};
/// What a delivery has and a message that is published anew has not.
constexpr std::array<std::string_view, 4> of_a_delivery{"queue", "timestamp_ms", "delivery_count",
                                                        "redelivered"};

std::string_view text_of(const Value& value) {
  return {value.GetString(), value.GetStringLength()};
}

std::string shown(const Value& value) {
  if (value.IsString()) return "the string \"" + printable(text_of(value).substr(0, 40)) + "\"";
  if (value.IsObject()) return "an object";
  if (value.IsArray()) return "a list";
  if (value.IsBool()) return value.GetBool() ? "true" : "false";
  if (value.IsUint64()) return std::to_string(value.GetUint64());
  if (value.IsNumber()) return value.IsInt64() ? std::to_string(value.GetInt64()) : "a fraction";
  return "null";
}

Error wrong(std::string_view key, const std::string& what) {
  return {Errc::invalid_argument, "\"" + printable(key) + "\": " + what};
}

Error expected(std::string_view key, const std::string& what, const Value& got) {
  return wrong(key, "expected " + what + ", got " + shown(got));
}

/// The value of `key`, which may end in _base64.
Error read_text(std::string_view key, const Value& value, std::string& to) {
  if (!value.IsString()) return expected(key, "a string", value);
  if (!key.ends_with(base64_suffix)) {
    to = text_of(value);
    return {};
  }
  std::optional<std::string> bytes = from_base64(text_of(value));
  if (!bytes) return wrong(key, "is not base64 (RFC 4648, with padding)");
  to = std::move(*bytes);
  return {};
}

std::string_view without_base64(std::string_view key) {
  if (key.ends_with(base64_suffix)) key.remove_suffix(base64_suffix.size());
  return key;
}

class LineReader {
 public:
  explicit LineReader(MessageLine& to) : to_(to) {}

  Error read(const Value& object) {
    for (const auto& member : object.GetObject()) {
      if (member.value.IsNull()) continue; // as if it were not there
      const std::string_view key = text_of(member.name);
      if (Error error = read_member(key, member.value)) return error;
    }
    if (!given_.contains("body")) {
      return {Errc::invalid_argument, "has neither \"body\" nor \"body_base64\""};
    }
    if (to_.id.size() > longest_id) return wrong("id", "is longer than 255 bytes");
    return {};
  }

 private:
  Error read_member(std::string_view key, const Value& value) {
    for (const TextKey& known : text_keys) {
      if (without_base64(key) != known.name) continue;
      if (Error error = once(known.name)) return error;
      return read_text(key, value, to_.*known.target);
    }
    for (const TimeKey& known : time_keys) {
      if (key != known.name && key != std::string(known.name) + "_ms") continue;
      if (Error error = once(known.name)) return error;
      return read_time(key, value, to_.*known.target);
    }
    if (key == "priority") return read_priority(value);
    if (key == "headers") return read_headers(value);
    if (std::ranges::find(of_a_delivery, without_base64(key)) != of_a_delivery.end()) return {};
    return unknown(key);
  }

  Error once(std::string_view name) {
    if (given_.insert(name).second) return {};
    return wrong(name, "is given twice");
  }

  static Error read_time(std::string_view key, const Value& value,
                         std::optional<milliseconds>& to) {
    if (key.ends_with("_ms")) {
      if (!value.IsInt64() || value.GetInt64() < 0 || value.GetInt64() > hundred_years_ms) {
        return expected(key, "milliseconds, at most a hundred years", value);
      }
      to = milliseconds(value.GetInt64());
      return {};
    }
    if (value.IsString()) to = parse_duration(text_of(value));
    return to ? Error() : expected(key, "a duration such as \"500ms\", \"2s\" or \"1m\"", value);
  }

  Error read_priority(const Value& value) {
    if (Error error = once("priority")) return error;
    if (!value.IsUint() || value.GetUint() > highest_priority) {
      return expected("priority", "a number from 0 to 9", value);
    }
    to_.priority = value.GetUint();
    return {};
  }

  /// A list of {"name": ..., "value": ...}, since names may repeat; or an object.
  Error read_headers(const Value& value) {
    if (Error error = once("headers")) return error;
    if (value.IsObject()) {
      for (const auto& member : value.GetObject()) {
        std::string text;
        const std::string_view name = text_of(member.name);
        if (Error error = read_text("headers", member.value, text)) return error;
        if (Error error = add_header(std::string(name), std::move(text))) return error;
      }
      return {};
    }
    if (!value.IsArray()) return expected("headers", "a list or an object", value);
    for (const Value& header : value.GetArray()) {
      if (Error error = read_header(header)) return error;
    }
    return {};
  }

  Error read_header(const Value& header) {
    if (!header.IsObject()) {
      return expected("headers", R"(objects such as {"name": "a", "value": "b"})", header);
    }
    std::string name, value;
    for (const auto& member : header.GetObject()) {
      const std::string_view key = text_of(member.name);
      const std::string_view plain = without_base64(key);
      if (plain != "name" && plain != "value") {
        return wrong("headers", "unknown key \"" + printable(key) + "\" in a header");
      }
      if (Error error = read_text(key, member.value, plain == "name" ? name : value)) return error;
    }
    return add_header(std::move(name), std::move(value));
  }

  Error add_header(std::string name, std::string value) {
    if (name.empty() || name.size() > longest_header_name) {
      return wrong("headers", "a header's name is not 1 to 255 bytes");
    }
    to_.headers.emplace_back(std::move(name), std::move(value));
    return {};
  }

  static Error unknown(std::string_view key) {
    std::vector<std::string> known{"priority", "headers", "delay_ms", "ttl_ms"};
    for (const TextKey& one : text_keys) known.emplace_back(one.name);
    for (const TimeKey& one : time_keys) known.emplace_back(one.name);
    std::string what = "unknown key \"" + printable(key) + "\"";
    const std::string_view near = nearest(key, known);
    if (!near.empty()) what.append("; did you mean \"").append(near).append("\"?");
    return {Errc::invalid_argument, std::move(what)};
  }

  MessageLine& to_;
  std::set<std::string_view> given_;
};

} // namespace

bool is_blank(std::string_view line) {
  return line.find_first_not_of(" \t\r\n") == std::string_view::npos;
}

Result<MessageLine> parse_message_line(std::string_view line) {
  // Iterative: a line of a million brackets must not end on the stack.
  constexpr unsigned flags = rapidjson::kParseValidateEncodingFlag | rapidjson::kParseIterativeFlag;
  rapidjson::Document document;
  document.Parse<flags>(line.data(), line.size());
  if (document.HasParseError()) {
    return Error(Errc::invalid_argument,
                 "column " + std::to_string(document.GetErrorOffset() + 1) +
                     ": not JSON: " + rapidjson::GetParseError_En(document.GetParseError()));
  }
  if (!document.IsObject()) {
    return Error(Errc::invalid_argument, "expected a JSON object, got " + shown(document));
  }
  MessageLine message;
  if (Error error = LineReader(message).read(document)) return error;
  return message;
}

} // namespace swapmq::host
