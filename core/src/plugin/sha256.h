// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace swapmq::plugin {

/// 64 lower-case hex digits.
std::string sha256_hex(std::span<const std::byte> bytes);

/// Lower-cases a digest; empty if it is not 64 hex digits.
std::string normalized_sha256(std::string_view text);

} // namespace swapmq::plugin
