// SPDX-License-Identifier: MIT
//
// What options, command lines and messages of the tests are made of.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace swapmq::live {

/// In quotes, escaped.
[[nodiscard]] std::string json_text(std::string_view text);

/// Members of a JSON object, one after the other.
class JsonMembers {
 public:
  /// `value` is JSON.
  void add(std::string_view name, const std::string& value);
  /// Nothing where `value` is empty.
  void add_text(std::string_view name, const std::string& value);
  /// Members as they stand in JSON, or nothing.
  void add_raw(const std::string& members);
  [[nodiscard]] std::string object() const { return '{' + text_ + '}'; }

 private:
  std::string text_;
};

/// As a part of a URL.
[[nodiscard]] std::string percent_encoded(std::string_view text);

/// Puts `value` wherever `text` has `place`.
void put(std::string& text, std::string_view place, const std::string& value);

/// The last bytes of a file; nothing if there is none.
[[nodiscard]] std::string end_of_file(const std::string& path, std::size_t bytes);
[[nodiscard]] std::string whole_file(const std::string& path);

} // namespace swapmq::live
