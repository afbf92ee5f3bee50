// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace swapmq::queue {

/// The text form of a UUID, 36 characters.
struct MessageId {
  std::array<char, 36> text;
  [[nodiscard]] std::string_view view() const { return {text.data(), text.size()}; }
};

/// A UUID version 7 (RFC 9562): the time in front, 74 random bits behind. Any thread: each has its
/// own generator, seeded by the kernel, anew after a fork.
MessageId make_message_id(std::int64_t unix_ms);

/// 64 bits of the same generators: good enough for ids that need not be secret.
std::uint64_t random_bits();

} // namespace swapmq::queue
