// SPDX-License-Identifier: MIT
//
// The Redis protocol (RESP2), as far as tests need it: what a server answers and what a client
// asks are the same kind of value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace swapmq::live::resp {

struct Value {
  enum class Kind { status, error, integer, bulk, array, null };
  Kind kind = Kind::null;
  std::string text{}; ///< of a status, an error, a bulk string; an integer in decimal
  std::vector<Value> elements{};

  /// One element a line; "(nil)" for null, errors as "(error) TEXT".
  [[nodiscard]] std::string to_text() const;
};

/// Takes the first whole value from the bytes; nothing if they end before it does. Throws
/// std::runtime_error where they are no RESP2 or beyond what a test sends: 64 MB, depth 16.
std::optional<Value> take(std::string_view& bytes);

/// An array of bulk strings: how a client sends a command.
[[nodiscard]] std::string command(const std::vector<std::string>& words);
[[nodiscard]] std::string bulk(std::string_view text);

} // namespace swapmq::live::resp
