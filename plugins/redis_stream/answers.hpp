// SPDX-License-Identifier: MIT
//
// That an answer is one to what was asked. What is not says that the connection's answers are out
// of step with its requests, or that there is no Redis server: either way it is of no further use.
#pragma once

#include <cstdint>
#include <string_view>

#include "reply.hpp"

namespace swapmq::redis {

/// Throws ConnectionLost.
[[noreturn]] void no_answer(std::string_view doing);

// Each throws what server_failure() makes of an error, ConnectionLost where the answer is none.
void expect_status(const Reply& reply, std::string_view status, std::string_view doing);
/// The number, which is from `least` to `most`.
int64_t expect_integer(const Reply& reply, int64_t least, int64_t most, std::string_view doing);
/// The first element of an array that has at least so many; null if it has none.
const Reply* expect_array(const Reply& reply, uint32_t least, std::string_view doing);

/// Whether it can be what XADD answers.
bool is_entry_id(int type, std::string_view text);

} // namespace swapmq::redis
