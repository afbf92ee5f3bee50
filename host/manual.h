// SPDX-License-Identifier: MIT
//
// The page swapmq(1), made of what --help is made of.
#pragma once

#include <string>

namespace swapmq::host {

/// For man(7); `date` is that of the page, "2026-01-31".
std::string manual_page(const std::string& date);

} // namespace swapmq::host
