// SPDX-License-Identifier: MIT
//
// What is worth another attempt, and what callers may give.
#pragma once

#include <string_view>

#include "plugin/session.h"
#include "swapmq/swapmq.hpp"

namespace swapmq::queue {

/// Whether another attempt may succeed where nothing else was said.
bool worth_retrying(Errc code);
/// What is wrong with a message as such, or for this backend.
Error check_message(const Message& message, const plugin::Backend& backend);

} // namespace swapmq::queue
