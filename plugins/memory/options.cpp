// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

#include "swapmq/backend.hpp"

namespace swapmq::memory {

const char* const kOptionsSchema = R"json({
  "$schema": "http://json-schema.org/draft-04/schema#",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "name": {
      "type": "string", "x-swapmq-address": true, "minLength": 1, "maxLength": 255, "default": "default",
      "x-swapmq-since": "0.1", "x-swapmq-example": "jobs",
      "description": "Backends of one process that open with the same name share one store."
    },
    "max_messages": {
      "type": "integer", "minimum": 1, "maximum": 9007199254740991, "default": 1000000,
      "x-swapmq-unit": "messages", "x-swapmq-since": "0.1", "x-swapmq-example": 10000,
      "description": "The most messages that one queue holds, unacked and delayed ones included; beyond it publishing fails and may be retried."
    },
    "max_bytes": {
      "type": "integer", "minimum": 65536, "maximum": 9007199254740991, "default": 1073741824,
      "x-swapmq-unit": "bytes", "x-swapmq-since": "0.1", "x-swapmq-example": 67108864,
      "description": "The most bytes that the messages of all queues take, bookkeeping included; beyond it publishing fails and may be retried."
    }
  }
})json";

namespace {

constexpr uint64_t kMostOfAnything = 9'007'199'254'740'991; // 2^53 - 1: exact in any JSON

[[noreturn]] void refuse(const std::string& what) {
  throw backend::Failure(SWAPMQ_INVALID_ARGUMENT, "options of memory: " + what);
}

uint64_t read_limit(const std::string& key, const rapidjson::Value& value, uint64_t least) {
  if (!value.IsUint64() || value.GetUint64() < least || value.GetUint64() > kMostOfAnything) {
    refuse("\"" + key + "\" must be an integer from " + std::to_string(least) + " to " +
           std::to_string(kMostOfAnything));
  }
  return value.GetUint64();
}

std::string read_name(const rapidjson::Value& value) {
  if (!value.IsString() || value.GetStringLength() == 0) {
    refuse("\"name\" must be a string that is not empty");
  }
  return {value.GetString(), value.GetStringLength()};
}

} // namespace

Options read_options(std::string_view json) {
  Options options;
  if (json.empty()) return options;
  constexpr unsigned kFlags =
      rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag;
  rapidjson::Document document;
  document.Parse<kFlags>(json.data(), json.size());
  if (document.HasParseError()) {
    refuse("not JSON at byte " + std::to_string(document.GetErrorOffset()) + ": " +
           rapidjson::GetParseError_En(document.GetParseError()));
  }
  if (!document.IsObject()) refuse("must be a JSON object");
  // "<", since "!=" of these iterators is ambiguous in C++20.
  for (auto member = document.MemberBegin(); member < document.MemberEnd(); ++member) {
    const std::string key(member->name.GetString(), member->name.GetStringLength());
    if (key == "name") {
      options.name = read_name(member->value);
    } else if (key == "max_messages") {
      options.max_messages = read_limit(key, member->value, 1);
    } else if (key == "max_bytes") {
      options.max_bytes = read_limit(key, member->value, kLeastMaxBytes);
    } else {
      refuse("unknown key \"" + key + "\"; known are name, max_messages, max_bytes");
    }
  }
  return options;
}

} // namespace swapmq::memory
