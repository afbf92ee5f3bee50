// SPDX-License-Identifier: MIT
#include "queue/uuid7.h"

#include <pthread.h>
#include <sys/random.h>

#include <atomic>
#include <bit>
#include <cstring>
#include <random>

namespace swapmq::queue {
namespace {

/// Grows in the child of a fork, so that it does not repeat its parent's ids.
std::atomic<std::uint32_t> fork_generation{1};

[[maybe_unused]] const int watching_forks =
    pthread_atfork(nullptr, nullptr, [] { fork_generation.fetch_add(1); });

/// xoshiro256++ (Blackman and Vigna): fast, and good enough for ids that need not be secret.
class Generator {
 public:
  std::uint64_t next() {
    if (seeded_for_ != fork_generation.load(std::memory_order_relaxed)) seed();
    const std::uint64_t result = rotate(state_[0] + state_[3], 23) + state_[0];
    const std::uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

 private:
  static std::uint64_t rotate(std::uint64_t x, int by) { return (x << by) | (x >> (64 - by)); }

  void seed() {
    if (getrandom(state_.data(), sizeof state_, 0) != static_cast<ssize_t>(sizeof state_)) {
      std::random_device device; // a kernel or sandbox without getrandom
      for (auto& word : state_) word = (std::uint64_t{device()} << 32) | device();
    }
    state_[0] |= 1; // never all zero
    seeded_for_ = fork_generation.load(std::memory_order_relaxed);
  }

  std::array<std::uint64_t, 4> state_{};
  std::uint32_t seeded_for_ = 0;
};

/// Eight digits, all at once: each nibble gets a byte, and each byte the letter for it.
void put_hex(char* to, std::uint32_t value) {
  std::uint64_t x = std::uint64_t{value & 0xffffU} << 32 | value >> 16;
  x = (x & 0x0000'00ff'0000'00ffU) << 16 | (x & 0x0000'ff00'0000'ff00U) >> 8;
  x = (x & 0x000f'000f'000f'000fU) << 8 | (x & 0x00f0'00f0'00f0'00f0U) >> 4;
  const std::uint64_t letters = (x + 0x0606'0606'0606'0606U) >> 4 & 0x0101'0101'0101'0101U;
  x += 0x3030'3030'3030'3030U + letters * ('a' - '0' - 10);
  if constexpr (std::endian::native == std::endian::big) x = __builtin_bswap64(x);
  std::memcpy(to, &x, sizeof x);
}

Generator& generator() {
  thread_local Generator it;
  return it;
}

} // namespace

std::uint64_t random_bits() { return generator().next(); }

MessageId make_message_id(std::int64_t unix_ms) {
  const auto time = static_cast<std::uint64_t>(unix_ms) & 0xffff'ffff'ffffU;
  Generator& bits = generator();
  const std::uint64_t high = bits.next();
  const std::uint64_t low = bits.next();
  const auto time_low = static_cast<std::uint32_t>(time & 0xffffU);
  const auto version = static_cast<std::uint32_t>(0x7000U | (high & 0x0fffU));
  const auto variant = static_cast<std::uint32_t>(0x8000U | ((high >> 16) & 0x3fffU));
  std::array<char, 32> digits; // NOLINT: written before it is read
  put_hex(digits.data(), static_cast<std::uint32_t>(time >> 16));
  put_hex(digits.data() + 8, time_low << 16 | version);
  put_hex(digits.data() + 16, variant << 16 | static_cast<std::uint32_t>(low >> 32 & 0xffffU));
  put_hex(digits.data() + 24, static_cast<std::uint32_t>(low & 0xffff'ffffU));
  MessageId id{};
  char* text = id.text.data();
  std::memcpy(text, digits.data(), 8);
  text[8] = '-';
  std::memcpy(text + 9, digits.data() + 8, 4);
  text[13] = '-';
  std::memcpy(text + 14, digits.data() + 12, 4);
  text[18] = '-';
  std::memcpy(text + 19, digits.data() + 16, 4);
  text[23] = '-';
  std::memcpy(text + 24, digits.data() + 20, 12);
  return id;
}

} // namespace swapmq::queue
