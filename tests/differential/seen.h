// SPDX-License-Identifier: MIT
//
// All that a consumer can see of a delivery, as a value that may come from another process.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "message.h"

namespace swapmq::differential {

struct Seen {
  contract::Message message;
  std::uint32_t count = 0;
  bool redelivered = false;
  bool at_least = false;  ///< the count is a lower bound
  std::int64_t at_ms = 0; ///< unix, when it had come
};

/// Copies it; a Breach if what it says of itself cannot be.
Seen see(const swapmq_delivery& delivery);

/// One line without spaces at its ends.
std::string to_line(const Seen& seen);
std::optional<Seen> from_line(std::string_view line);

/// Any bytes as two hexadecimal digits each, "-" for none.
std::string to_hex(std::string_view bytes);
std::optional<std::string> from_hex(std::string_view digits);

} // namespace swapmq::differential
