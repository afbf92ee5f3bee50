// SPDX-License-Identifier: MIT
//
// CRC-32 (IEEE), eight bytes a step: what proves a stored message undamaged before it is delivered.
#pragma once

#include <cstdint>
#include <string_view>

namespace swapmq::sqlite {

/// Continues `crc` (0 to begin) over `data`.
uint32_t crc32(uint32_t crc, std::string_view data);

} // namespace swapmq::sqlite
