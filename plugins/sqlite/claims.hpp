// SPDX-License-Identifier: MIT
//
// Claims: what a consumer holds. One row stands for all messages that one exchange took from one
// lane: a range of the line, plus the parked messages that carry the claim's number. A message of
// the range is held as long as it exists and is not parked.
#pragma once

#include <cstdint>
#include <deque>

#include "database.hpp"
#include "lanes.hpp"

namespace swapmq::sqlite {

struct Claim {
  int64_t id = 0;
  int64_t lane = 0;
  int64_t first = 0; // the range of keys; first > last: none
  int64_t last = -1;
  int64_t held = 0;   // messages not settled
  int64_t parked = 0; // messages of the range that were parked since
  bool exists = false;
  bool dirty = false;

  [[nodiscard]] bool covers(int64_t key) const { return first <= key && key <= last; }
};

void insert_claim(Database& database, const Claim& claim);

/// The claims that a transaction has to do with.
class Claims {
 public:
  explicit Claims(Database& database) : database_(database) {}

  /// Reads it when first asked for; `exists` says whether there is such a claim.
  Claim& at(int64_t id);
  /// One message fewer is held. A claim that holds nothing goes at once: what is written next may
  /// begin the lane's sequences anew, within the claim's range.
  void let_go(Claim& claim);
  /// Writes back what changed.
  void save();

 private:
  void end(Claim& claim);

  Database& database_;
  std::deque<Claim> claims_;
  Claim* latest_ = nullptr;
};

/// Makes ready again all that the consumer holds, each at its place, and forgets the consumer; what
/// it claimed before its time waits again. `counted`: this return raises the delivery counts.
/// Returns how many
/// messages are ready again.
int64_t return_claims(Database& database, WriteTransaction& transaction, Lanes& lanes,
                      int64_t consumer, bool counted);

} // namespace swapmq::sqlite
