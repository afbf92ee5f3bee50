// SPDX-License-Identifier: MIT
//
// What is wrong with a text that is not JSON, in plain words.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace swapmq::config {

/// What the reader was about to read when it stopped.
enum class Awaited { document, end, value, key, colon, object_next, array_next, number, string };

struct Stop {
  Awaited awaited = Awaited::value;
  std::size_t offset = 0;      ///< where it stopped
  std::size_t token_begin = 0; ///< where the token in hand begins
  std::size_t container = 0;   ///< where the innermost open object or array begins
  bool contained = false;      ///< whether there is one
};

struct SyntaxError {
  std::size_t offset = 0;
  std::string message;
};

/// Never shows what stands in the text: it might be a secret.
SyntaxError explain(std::string_view text, const Stop& stop);

} // namespace swapmq::config
