// SPDX-License-Identifier: MIT
#include "plugin/sha256.h"

#include <sys/types.h>
// libmd's header uses the types of sys/types.h without including it.
#include <sha2.h>

#include <array>
#include <cstdint>

namespace swapmq::plugin {

std::string sha256_hex(std::span<const std::byte> bytes) {
  SHA2_CTX context;
  SHA256Init(&context);
  SHA256Update(&context, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  std::array<std::uint8_t, SHA256_DIGEST_LENGTH> digest{};
  SHA256Final(digest.data(), &context);

  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * digest.size());
  for (const std::uint8_t byte : digest) {
    hex.push_back(kDigits[byte >> 4]);
    hex.push_back(kDigits[byte & 0xf]);
  }
  return hex;
}

std::string normalized_sha256(std::string_view text) {
  if (text.size() != 64) return {};
  std::string hex;
  hex.reserve(text.size());
  for (const char c : text) {
    const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
    if (!digit && (c < 'A' || c > 'F')) return {};
    hex.push_back(c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
  }
  return hex;
}

} // namespace swapmq::plugin
