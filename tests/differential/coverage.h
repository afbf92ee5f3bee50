// SPDX-License-Identifier: MIT
//
// What a run has reached: each pair of consecutive operations, and each state of a message.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "operation.h"

namespace swapmq::differential {

enum class State : std::uint8_t {
  kUnacked,
  kDelayed,
  kRedelivered,
  kDeadLettered,
  kPurged,
  kConsumerDied,
  kFull,      ///< refused, since the queue was full
  kLost,      ///< settled too late
  kReordered, ///< the other backend chose otherwise than the model, and might
};
inline constexpr std::size_t kStates = 9;
inline constexpr std::array<std::string_view, kStates> kStateNames = {
    "unacked",       "delayed", "redelivered", "dead-lettered", "purged",
    "consumer-died", "full",    "lost",        "reordered"};

class Coverage {
 public:
  void operation(Kind kind);
  /// The next operation follows none.
  void start() { has_before_ = false; }
  void reached(State state, std::uint64_t messages = 1) {
    states_[static_cast<std::size_t>(state)] += messages;
  }

  [[nodiscard]] std::uint64_t operations() const { return operations_; }
  [[nodiscard]] std::uint64_t pair(Kind before, Kind kind) const {
    return pairs_[static_cast<std::size_t>(before)][static_cast<std::size_t>(kind)];
  }
  [[nodiscard]] std::uint64_t state(State state) const {
    return states_[static_cast<std::size_t>(state)];
  }
  [[nodiscard]] bool has_before() const { return has_before_; }
  [[nodiscard]] Kind before() const { return before_; }

 private:
  std::array<std::array<std::uint64_t, kKinds>, kKinds> pairs_{};
  std::array<std::uint64_t, kStates> states_{};
  std::uint64_t operations_ = 0;
  Kind before_ = Kind::kStats;
  bool has_before_ = false;
};

} // namespace swapmq::differential
