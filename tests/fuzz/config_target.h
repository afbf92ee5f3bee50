// SPDX-License-Identifier: MIT
//
// What must hold of the config parser for any text whatever.
#pragma once

#include <string_view>

namespace swapmq::fuzz {

/// Parses the text against plugins that are not there and aborts, having said why, if the answer is
/// not a proper one.
void try_config(std::string_view text);

} // namespace swapmq::fuzz
