// SPDX-License-Identifier: MIT
//
// "Did you mean ...?"
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace swapmq::host {

/// The candidate that was most likely meant; empty if none is near.
std::string_view nearest(std::string_view typed, std::span<const std::string> candidates);

} // namespace swapmq::host
