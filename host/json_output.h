// SPDX-License-Identifier: MIT
//
// JSON on standard output, one document a line.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace swapmq::host {

class JsonWriter {
 public:
  JsonWriter();
  ~JsonWriter();

  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  /// What is not UTF-8 is replaced by U+FFFD: JSON cannot hold it.
  JsonWriter& string(std::string_view text);
  JsonWriter& number(std::uint64_t value);
  JsonWriter& number(double value);
  JsonWriter& boolean(bool value);
  /// Already JSON.
  JsonWriter& json(std::string_view text);

  /// key(name) and its value.
  JsonWriter& member(std::string_view name, std::string_view value);
  JsonWriter& member(std::string_view name, const char* value);
  JsonWriter& member(std::string_view name, std::uint64_t value);
  JsonWriter& member(std::string_view name, double value);
  JsonWriter& member(std::string_view name, bool value);

  /// The document and a newline; the writer is ready for the next one.
  std::string take();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

bool is_utf8(std::string_view text);
std::string base64(std::string_view bytes);
/// None: it is not that (RFC 4648 section 4, with padding and nothing else).
std::optional<std::string> from_base64(std::string_view text);

} // namespace swapmq::host
