// SPDX-License-Identifier: MIT
//
// A message as a JSON object on a line, as `swapmq publish --ndjson` reads it: what `swapmq consume
// --ndjson` writes is one.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "swapmq/swapmq.hpp"

namespace swapmq::host {

struct MessageLine {
  std::string body, id, ordering_key, correlation_id, reply_to, content_type;
  std::vector<std::pair<std::string, std::string>> headers;
  std::optional<milliseconds> delay, ttl;
  std::optional<std::uint32_t> priority;
};

/// Errors: invalid_argument; what is wrong, and at which key or column.
Result<MessageLine> parse_message_line(std::string_view line);

/// Nothing but white space: no message, and no error.
bool is_blank(std::string_view line);

} // namespace swapmq::host
