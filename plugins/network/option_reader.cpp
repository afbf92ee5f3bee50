// SPDX-License-Identifier: MIT
#include "option_reader.hpp"

#include <rapidjson/error/en.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "swapmq/backend.hpp"

namespace swapmq::network {

using std::chrono::milliseconds;

namespace {

std::string quoted(std::string_view key) { return "\"" + std::string(key) + "\""; }

} // namespace

void OptionReader::refuse(std::string what) const {
  // A key may hold anything, and an error is one line.
  std::replace_if(
      what.begin(), what.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  throw backend::Failure(SWAPMQ_INVALID_ARGUMENT, "options of " + plugin_ + ": " + what);
}

void OptionReader::refuse_unknown(std::string_view key) const {
  refuse("unknown key " + quoted(key));
}

void OptionReader::refuse_both(std::string_view one, std::string_view other) const {
  refuse(quoted(one) + " and " + quoted(other) + " say the same thing: keep one of them");
}

rapidjson::Document OptionReader::parse(std::string_view json) const {
  rapidjson::Document document(rapidjson::kObjectType);
  if (json.empty()) return document;
  // Iterative, so that depth cannot overflow the stack.
  document.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseValidateEncodingFlag>(
      json.data(), json.size());
  if (document.HasParseError()) {
    refuse("byte " + std::to_string(document.GetErrorOffset()) + ": " +
           rapidjson::GetParseError_En(document.GetParseError()));
  }
  if (!document.IsObject()) refuse("not a JSON object");
  return document;
}

uint64_t OptionReader::integer(const Value& value, std::string_view key, uint64_t least,
                               uint64_t most) const {
  if (!value.IsUint64() || value.GetUint64() < least || value.GetUint64() > most) {
    refuse(quoted(key) + " is not an integer from " + std::to_string(least) + " to " +
           std::to_string(most));
  }
  return value.GetUint64();
}

milliseconds OptionReader::span_ms(const Value& value, std::string_view key, uint64_t least,
                                   uint64_t most) const {
  return milliseconds(integer(value, key, least, most));
}

milliseconds OptionReader::seconds(const Value& value, std::string_view key, double most) const {
  constexpr double kLeast = 0.001;
  if (!value.IsNumber() || value.GetDouble() < kLeast || value.GetDouble() > most) {
    refuse(quoted(key) + " is not a number of seconds from 0.001 to " +
           std::to_string(static_cast<int>(most)));
  }
  return milliseconds(static_cast<int64_t>(value.GetDouble() * 1000));
}

std::string OptionReader::text(const Value& value, std::string_view key, std::size_t most) const {
  if (!value.IsString()) refuse(quoted(key) + " is not a string");
  if (value.GetStringLength() > most) {
    refuse(quoted(key) + " is longer than " + std::to_string(most) + " bytes");
  }
  std::string given(view(value));
  if (given.find('\0') != std::string::npos) refuse(quoted(key) + " holds a NUL byte");
  return given;
}

std::string OptionReader::file(const Value& value, std::string_view key) const {
  const std::string path = text(value, key, 4096);
  if (path.empty()) refuse(quoted(key) + " is empty: give the name of a PEM file");
  // Made absolute once: the working directory may change while the backend is open.
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  if (error) refuse(quoted(key) + " cannot be made absolute: " + error.message());
  return absolute.string();
}

int32_t OptionReader::durability(const Value& value, std::string_view key) const {
  const std::string word = text(value, key, 16);
  if (word == "none") return SWAPMQ_DURABILITY_NONE;
  if (word == "process") return SWAPMQ_DURABILITY_PROCESS;
  if (word == "power") return SWAPMQ_DURABILITY_POWER;
  if (word == "replicated") return SWAPMQ_DURABILITY_REPLICATED;
  refuse(quoted(key) + R"( is not "none", "process", "power" or "replicated")");
}

TlsOptions OptionReader::tls(const Value& object) const {
  if (!object.IsObject()) refuse("\"tls\" is not an object");
  TlsOptions tls;
  for_each_member(object, [&](std::string_view key, const Value& value) {
    if (key == "ca_file") {
      tls.ca_file = file(value, key);
    } else if (key == "certificate_file") {
      tls.certificate_file = file(value, key);
    } else if (key == "key_file") {
      tls.key_file = file(value, key);
    } else if (key == "server_name") {
      tls.server_name = text(value, key, 255);
    } else if (key == "verify") {
      if (!value.IsBool()) refuse("\"verify\" is not true or false");
      tls.verify = value.GetBool();
    } else {
      refuse("unknown key " + quoted(key) + " in \"tls\"");
    }
  });
  if (tls.certificate_file.empty() != tls.key_file.empty()) {
    refuse("\"certificate_file\" and \"key_file\" belong together: give both or none");
  }
  return tls;
}

bool OptionReader::take_retry(RetryOptions& retry, std::string_view key, const Value& value) const {
  if (key == "max_retry_attempts") {
    retry.max_retry_attempts = static_cast<uint32_t>(integer(value, key, 0, 1000));
  } else if (key == "retry_delay_seconds") {
    retry.retry_delay = seconds(value, key, 60);
  } else if (key == "max_retry_delay_seconds") {
    retry.max_retry_delay = seconds(value, key, 3600);
  } else {
    return false;
  }
  return true;
}

} // namespace swapmq::network
