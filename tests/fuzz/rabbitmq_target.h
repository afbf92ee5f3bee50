// SPDX-License-Identifier: MIT
//
// What must hold of the rabbitmq plugin for whatever bytes a broker sends.
#pragma once

#include <string_view>

namespace swapmq::fuzz {

/// Reads the bytes as frames, in one piece and in small ones, and each frame as what it says it is:
/// a method, a confirm, a return, a message. Aborts, having said why, if that does not come to the
/// same or is not a proper message.
void try_rabbitmq(std::string_view bytes);

} // namespace swapmq::fuzz
