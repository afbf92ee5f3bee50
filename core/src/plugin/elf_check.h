// SPDX-License-Identifier: MIT
//
// Looks at an ELF file before the dynamic linker does: its own errors name neither machine, and a
// truncated file would be a SIGBUS.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace swapmq::plugin {

/// Why these bytes cannot be a plugin of this process; empty if they may be one.
std::string why_not_loadable(std::span<const std::byte> bytes);

} // namespace swapmq::plugin
