// SPDX-License-Identifier: MIT
//
// Numbers that tell one consumer from all others, and how names hold them.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace swapmq::network {

inline uint64_t make_nonce() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

/// 16 digits.
inline std::string hex(uint64_t number) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[(number >> shift) & 15];
  return text;
}

} // namespace swapmq::network
