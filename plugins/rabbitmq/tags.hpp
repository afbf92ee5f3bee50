// SPDX-License-Identifier: MIT
//
// The book of what a channel delivered. Delivery tags count from 1 (AMQP 0-9-1, 3.1.10 and
// basic.deliver), so the book is a row of states, and finding one costs nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

#include "output.hpp"
#include "swapmq/backend.h"

namespace swapmq::rabbitmq {

/// Names a delivery; its channel is over when the epoch is.
struct Receipt {
  uint64_t consumer; // a nonce of the subscription
  uint64_t epoch;
  uint64_t tag;

  [[nodiscard]] std::string_view bytes() const {
    return {reinterpret_cast<const char*>(this), sizeof *this};
  }
};
static_assert(sizeof(Receipt) <= SWAPMQ_RECEIPT_BYTES);

class Tags {
 public:
  explicit Tags(uint64_t nonce) : nonce_(nonce) {}

  /// Another channel: nothing of before is ours any more.
  void start_anew() {
    states_.clear();
    first_ = 1;
    held_ = 0;
    ++epoch_;
  }
  /// What is delivered next has this tag.
  [[nodiscard]] uint64_t next() const { return first_ + states_.size(); }
  void delivered() {
    states_.push_back(State::held);
    ++held_;
  }
  [[nodiscard]] Receipt receipt(uint64_t tag) const { return {nonce_, epoch_, tag}; }

  /// The tag of a receipt, unless it is no longer, or was never, this consumer's to settle, or is
  /// just being settled.
  [[nodiscard]] std::optional<uint64_t> find(const swapmq_receipt& receipt) const {
    if (receipt.size != sizeof(Receipt)) return std::nullopt;
    Receipt given; // NOLINT: all of it is copied
    std::memcpy(&given, receipt.bytes, sizeof given);
    const bool ours = given.consumer == nonce_ && given.epoch == epoch_;
    if (!ours || !(is_held(given.tag) || is_told(given.tag))) return std::nullopt;
    return given.tag;
  }
  [[nodiscard]] bool is_held(uint64_t tag) const {
    return tag >= first_ && tag < next() && state(tag) == State::held;
  }
  /// Whether the broker was told of its settlement, and the host is to ask what came of that.
  [[nodiscard]] bool is_told(uint64_t tag) const {
    return tag >= first_ && tag < next() && state(tag) == State::told;
  }
  void told(uint64_t tag) { set(tag, State::told); }
  /// Given to a settlement that is under way, and back if that could not be done.
  void settling(uint64_t tag) { set(tag, State::settling); }
  void still_held(uint64_t tag) {
    if (tag >= first_ && tag < next()) set(tag, State::held);
  }
  void settled(uint64_t tag) {
    if (tag < first_ || tag >= next() || state(tag) == State::settled) return;
    set(tag, State::settled);
    --held_;
    while (!states_.empty() && states_.front() == State::settled) {
      states_.pop_front();
      ++first_;
    }
  }
  /// Whether a tag from `from` on and before `to` is not settled, and not to be settled.
  [[nodiscard]] bool any_left(uint64_t from, uint64_t to) const {
    for (uint64_t tag = from < first_ ? first_ : from; tag < to && tag < next(); ++tag) {
      if (state(tag) == State::held) return true;
    }
    return false;
  }
  /// How many before that tag are not settled.
  [[nodiscard]] std::size_t held_before(uint64_t before) const {
    std::size_t count = 0;
    for (uint64_t tag = first_; tag < before && tag < next(); ++tag) {
      if (state(tag) != State::settled) ++count;
    }
    return count;
  }
  [[nodiscard]] uint64_t first() const { return first_; }
  [[nodiscard]] std::size_t held() const { return held_; }
  [[nodiscard]] uint64_t epoch() const { return epoch_; }
  [[nodiscard]] uint64_t nonce() const { return nonce_; }

 private:
  enum class State : uint8_t { held, settling, told, settled };
  [[nodiscard]] State state(uint64_t tag) const {
    return states_[static_cast<std::size_t>(tag - first_)];
  }
  void set(uint64_t tag, State state) { states_[static_cast<std::size_t>(tag - first_)] = state; }

  const uint64_t nonce_;
  uint64_t epoch_ = 0;
  uint64_t first_ = 1;
  std::deque<State> states_;
  std::size_t held_ = 0; // or being settled
};

enum class Settle : uint8_t { ack, requeue };

struct TagSettlement {
  uint64_t tag;
  Settle how;
};

/// Appends basic.ack and basic.nack for them, as few as will do: one for all up to a tag wherever
/// nothing before it stays. `settlements` are sorted by tag, and their tags are marked as settling.
/// Returns how many of them, from the end, the last one is for.
std::size_t append_settlements(Output& out, uint16_t channel, const Tags& tags,
                               const std::vector<TagSettlement>& settlements);

} // namespace swapmq::rabbitmq
