// SPDX-License-Identifier: MIT
//
// What may be the name of a queue.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "swapmq/swapmq.hpp"

namespace swapmq::config {

inline constexpr std::size_t kMaxQueueNameBytes = 255;

/// ok, or invalid_argument with the reason. A name is 1 to 255 bytes of UTF-8 without control
/// characters, and '@' is not the first. '/', "..", spaces and the like are ordinary: a name is
/// never a path, and a backend that cannot have them says so by its limits.
Error check_queue_name(std::string_view name);

/// "@task", "@status", "@heartbeat" or "@control": the queue that the config gives that role.
bool is_queue_role(std::string_view name);

/// Where the dead letters of a queue go by default: NAME.dead; of a name too long for that, its
/// beginning, a hash of the whole and ".dead". Valid if the name is.
std::string default_dead_letter_queue(std::string_view name);

} // namespace swapmq::config
