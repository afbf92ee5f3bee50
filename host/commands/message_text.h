// SPDX-License-Identifier: MIT
//
// How `swapmq consume` and `swapmq queue peek` write a message.
#pragma once

#include <string>

#include "command_line.h"
#include "json_output.h"
#include "swapmq/swapmq.hpp"

namespace swapmq::host {

/// Appends the delivery in the chosen form.
void append_message(std::string& to, const Delivery& delivery, MessageForm form, JsonWriter& json);

} // namespace swapmq::host
