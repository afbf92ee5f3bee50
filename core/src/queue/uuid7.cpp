// SPDX-License-Identifier: MIT
#include "queue/uuid7.h"

#include <pthread.h>
#include <sys/random.h>

#include <atomic>
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

constexpr auto hex_pairs = [] {
  constexpr char alphabet[] = "0123456789abcdef";
  std::array<std::array<char, 2>, 256> pairs{};
  for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] = {alphabet[i >> 4], alphabet[i & 15]};
  return pairs;
}();

/// The lowest `count` bytes, two digits each.
void put_hex(char* to, std::uint64_t value, int count) {
  for (int i = count - 1; i >= 0; --i, value >>= 8) {
    std::memcpy(to + 2 * i, hex_pairs[value & 255].data(), 2);
  }
}

} // namespace

MessageId make_message_id(std::int64_t unix_ms) {
  thread_local Generator generator;
  const auto time = static_cast<std::uint64_t>(unix_ms) & 0xffff'ffff'ffffU;
  const std::uint64_t high = generator.next();
  const std::uint64_t low = generator.next();
  MessageId id{};
  char* text = id.text.data();
  put_hex(text, time >> 16, 4);
  text[8] = '-';
  put_hex(text + 9, time & 0xffffU, 2);
  text[13] = '-';
  put_hex(text + 14, 0x7000U | (high & 0x0fffU), 2); // version
  text[18] = '-';
  put_hex(text + 19, 0x8000U | ((high >> 16) & 0x3fffU), 2); // variant
  text[23] = '-';
  put_hex(text + 24, low & 0xffff'ffff'ffffU, 6);
  return id;
}

} // namespace swapmq::queue
