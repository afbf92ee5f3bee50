// SPDX-License-Identifier: MIT
//
// Between the ABI's statuses and the library's error codes, and the checks of what callers give.
#pragma once

#include <string_view>

#include "plugin/session.h"
#include "swapmq/swapmq.hpp"

namespace swapmq::queue {

/// An unknown status counts as internal.
Errc errc_of(swapmq_status status);
/// Whether another attempt may succeed where nothing else was said.
bool worth_retrying(Errc code);
/// What is wrong with a message as such, or for this backend.
Error check_message(const Message& message, const plugin::Backend& backend);

} // namespace swapmq::queue
