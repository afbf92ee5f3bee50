// SPDX-License-Identifier: MIT
//
// What must hold of the redis_stream plugin for whatever bytes a server sends.
#pragma once

#include <string_view>

namespace swapmq::fuzz {

/// Reads the bytes as replies, in one piece and in small ones, whole and brief, and each array as
/// an entry. Aborts, having said why, if that does not come to the same or is not a proper message.
void try_redis(std::string_view bytes);

} // namespace swapmq::fuzz
