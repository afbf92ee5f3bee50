// SPDX-License-Identifier: MIT
#include "options.hpp"

#include <rapidjson/document.h>
#include <rapidjson/error/en.h>

#include <cstddef>
#include <filesystem>

#include "swapmq/backend.hpp"

namespace swapmq::sqlite {

const char* const kOptionsSchema = R"json({
  "$schema": "http://json-schema.org/draft-04/schema#",
  "title": "sqlite",
  "type": "object",
  "additionalProperties": false,
  "required": ["path"],
  "properties": {
    "path": {
      "type": "string", "x-swapmq-address": true, "minLength": 1,
      "x-swapmq-path": true, "x-swapmq-since": "0.1", "x-swapmq-example": "/var/lib/myapp/queues.db",
      "description": "The database file; made with its parent folders where it does not exist."
    },
    "synchronous": {
      "type": "string", "enum": ["full", "normal", "off"], "default": "full",
      "x-swapmq-since": "0.1", "x-swapmq-example": "normal",
      "description": "What a confirmed message survives. full: loss of power; normal and off: kill -9, but loss of power may take the last ones."
    },
    "busy_timeout_ms": {
      "type": "integer", "minimum": 0, "maximum": 3600000, "default": 5000,
      "x-swapmq-unit": "ms", "x-swapmq-since": "0.1", "x-swapmq-example": 1000,
      "description": "The longest wait for another writer of the file, within each call's deadline."
    },
    "lease_ms": {
      "type": "integer", "minimum": 1, "maximum": 86400000, "default": 30000,
      "x-swapmq-unit": "ms", "x-swapmq-since": "0.1", "x-swapmq-example": 60000,
      "description": "How long after its last sign of life a consumer keeps what it holds, where the consumer does not say."
    },
    "max_messages": {
      "type": "integer", "minimum": 0, "maximum": 1000000000000, "default": 0,
      "x-swapmq-unit": "messages", "x-swapmq-since": "0.1", "x-swapmq-example": 1000000,
      "description": "The most messages that one queue holds; 0: no limit."
    }
  }
})json";

namespace {

using backend::Failure;

[[noreturn]] void refuse(const std::string& what) {
  throw Failure(SWAPMQ_INVALID_ARGUMENT, "options of sqlite: " + what);
}

int64_t integer(const rapidjson::Value& value, const char* key, int64_t least, int64_t most) {
  if (!value.IsInt64() || value.GetInt64() < least || value.GetInt64() > most) {
    refuse(std::string("\"") + key + "\" is not an integer from " + std::to_string(least) + " to " +
           std::to_string(most));
  }
  return value.GetInt64();
}

std::string path_of(const rapidjson::Value& value) {
  if (!value.IsString() || value.GetStringLength() == 0) {
    refuse("\"path\" is not the name of a file: give one, such as \"./data/queues.db\"");
  }
  const std::string path(value.GetString(), value.GetStringLength());
  if (path.find('\0') != std::string::npos) refuse("\"path\" holds a NUL byte");
  // Made absolute once: the working directory may change while the backend is open.
  std::error_code error;
  std::filesystem::path absolute = std::filesystem::absolute(path, error);
  if (error) refuse("\"path\" cannot be made absolute: " + error.message());
  return absolute.lexically_normal().string();
}

Synchronous synchronous_of(const rapidjson::Value& value) {
  const std::string_view text =
      value.IsString() ? std::string_view(value.GetString(), value.GetStringLength()) : "";
  if (text == "full") return Synchronous::kFull;
  if (text == "normal") return Synchronous::kNormal;
  if (text == "off") return Synchronous::kOff;
  refuse(R"("synchronous" is not "full", "normal" or "off")");
}

void take(Options& options, std::string_view key, const rapidjson::Value& value) {
  if (key == "path") {
    options.path = path_of(value);
  } else if (key == "synchronous") {
    options.synchronous = synchronous_of(value);
  } else if (key == "busy_timeout_ms") {
    options.busy_timeout =
        std::chrono::milliseconds(integer(value, "busy_timeout_ms", 0, 3'600'000));
  } else if (key == "lease_ms") {
    options.lease = std::chrono::milliseconds(integer(value, "lease_ms", 1, 86'400'000));
  } else if (key == "max_messages") {
    options.max_messages =
        static_cast<uint64_t>(integer(value, "max_messages", 0, 1'000'000'000'000));
  } else {
    refuse("unknown key \"" + std::string(key) + "\"");
  }
}

} // namespace

Options parse_options(std::string_view json) {
  if (json.empty()) refuse("empty; give an object with \"path\"");
  rapidjson::Document document;
  // Iterative, so that depth cannot overflow the stack.
  document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(
      json.data(), json.size());
  if (document.HasParseError()) {
    refuse("byte " + std::to_string(document.GetErrorOffset()) + ": " +
           rapidjson::GetParseError_En(document.GetParseError()));
  }
  if (!document.IsObject()) refuse("not a JSON object");
  Options options;
  // By number: comparing RapidJSON's iterators is ambiguous in C++20.
  for (rapidjson::SizeType i = 0; i < document.MemberCount(); ++i) {
    const auto& member = *(document.MemberBegin() + static_cast<std::ptrdiff_t>(i));
    take(options, std::string_view(member.name.GetString(), member.name.GetStringLength()),
         member.value);
  }
  if (options.path.empty()) refuse("\"path\" is missing: name the database file");
  return options;
}

} // namespace swapmq::sqlite
