// SPDX-License-Identifier: MIT
#include "ids.h"

#include <bit>
#include <chrono>
#include <cstring>
#include <random>

namespace bench {
namespace {

constexpr auto digit_pairs = [] {
  constexpr char digits[] = "0123456789abcdef";
  std::array<std::array<char, 2>, 256> pairs{};
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] = {digits[i >> 4], digits[i & 15]};
  return pairs;
}();

/// Writes the lowest `bytes` bytes of a value.
void put_hex(char* to, std::uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i, value >>= 8) {
    std::memcpy(to + 2 * i, digit_pairs[value & 255].data(), 2);
  }
}

} // namespace

std::int64_t unix_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

IdGenerator::IdGenerator() {
  std::random_device device;
  for (auto& word : state_) word = (std::uint64_t{device()} << 32) | device();
  state_[0] |= 1; // never all zero
}

/// xoshiro256++ (Blackman and Vigna), as the library's.
std::uint64_t IdGenerator::next() {
  const std::uint64_t result = std::rotl(state_[0] + state_[3], 23) + state_[0];
  const std::uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

void IdGenerator::make(Id& id, std::int64_t now_ms) {
  const auto time = static_cast<std::uint64_t>(now_ms);
  const std::uint64_t high = next();
  const std::uint64_t low = next();
  char* text = id.data();
  put_hex(text, time >> 16, 4);
  text[8] = '-';
  put_hex(text + 9, time, 2);
  text[13] = '-';
  put_hex(text + 14, 0x7000U | (high & 0x0fffU), 2); // version
  text[18] = '-';
  put_hex(text + 19, 0x8000U | ((high >> 16) & 0x3fffU), 2); // variant
  text[23] = '-';
  put_hex(text + 24, low, 6);
}

} // namespace bench
