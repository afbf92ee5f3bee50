// SPDX-License-Identifier: MIT
//
// What the server's error replies mean to a host. A command that was answered with an error was not
// done.
#pragma once

#include <string_view>

#include "swapmq/backend.hpp"

namespace swapmq::redis {

struct Meaning {
  swapmq_status status;
  uint32_t flags;   // SWAPMQ_ERROR_*
  const char* hint; // what to do about it
};

/// By the reply's first word, which is its code.
Meaning meaning_of(std::string_view error_reply);

/// The failure that an error reply is, where it was not expected.
backend::Failure server_failure(std::string_view doing, std::string_view error_reply);

inline bool has_code(std::string_view error_reply, std::string_view code) {
  return error_reply.starts_with(code) &&
         (error_reply.size() == code.size() || error_reply[code.size()] == ' ');
}

} // namespace swapmq::redis
