// SPDX-License-Identifier: MIT
//
// The key of a message says where it stands: queue, lane, place. Messages of one queue lie together
// in the table and in the order in which they are to be delivered, so that to claim is to read on.
//
//   key   = queue (16 bits) | rank (4) | apart (1) | sequence (42)
//   rank  = 9 - priority, so that what is to go first sorts first
//   lane  = queue and rank: one line of messages of equal priority
//   apart = 1 for messages published with a delay, which keep out of the way of the lane's scan
//   place = the key without `apart`: where a message stands among those of its lane
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "swapmq/backend.h"

namespace swapmq::sqlite {

constexpr int kSequenceBits = 42;
constexpr int kLaneShift = kSequenceBits + 1;
constexpr int64_t kApart = int64_t{1} << kSequenceBits;
constexpr int64_t kLastSequence = kApart - 1;
constexpr int64_t kLastQueue = 65535;
constexpr int64_t kRanks = 16; // of which 0 to 9 are in use
constexpr uint32_t kMaxPriority = 9;

constexpr int64_t lane_of(int64_t queue, uint32_t priority) {
  return queue * kRanks + (int64_t{kMaxPriority} - int64_t{priority});
}
constexpr int64_t first_lane(int64_t queue) { return queue * kRanks; }
constexpr int64_t last_lane(int64_t queue) { return queue * kRanks + kRanks - 1; }
constexpr int64_t queue_of_lane(int64_t lane) { return lane / kRanks; }
constexpr uint32_t priority_of_lane(int64_t lane) {
  return kMaxPriority - static_cast<uint32_t>(lane % kRanks);
}

constexpr int64_t key_of(int64_t lane, int64_t sequence) { return (lane << kLaneShift) | sequence; }
constexpr int64_t lane_of_key(int64_t key) { return key >> kLaneShift; }
constexpr int64_t sequence_of(int64_t key) { return key & kLastSequence; }
constexpr int64_t place_of(int64_t key) { return key & ~kApart; }
constexpr int64_t first_key(int64_t lane) { return key_of(lane, 0); }
constexpr int64_t last_key(int64_t lane) { return key_of(lane, kApart | kLastSequence); }

/// A claim is numbered by its consumer and a count of that consumer, neither ever used twice.
constexpr int64_t kLastConsumer = (int64_t{1} << 31) - 1;
constexpr int64_t kClaimsOfConsumer = int64_t{1} << 32;
constexpr int64_t first_claim(int64_t consumer) { return consumer * kClaimsOfConsumer; }
constexpr int64_t last_claim(int64_t consumer) {
  return consumer * kClaimsOfConsumer + (kClaimsOfConsumer - 1);
}

/// What a delivery's receipt says: which message, held by which claim.
struct Receipt {
  int64_t key = 0;
  int64_t claim = 0;

  static constexpr std::size_t kBytes = 16;

  [[nodiscard]] std::string_view encode(char (&buffer)[kBytes]) const {
    std::memcpy(buffer, &key, sizeof key);
    std::memcpy(buffer + sizeof key, &claim, sizeof claim);
    return {buffer, kBytes};
  }
  /// False if the receipt is none of this plugin's.
  static bool decode(const swapmq_receipt& from, Receipt& to) {
    if (from.size != kBytes) return false;
    std::memcpy(&to.key, from.bytes, sizeof to.key);
    std::memcpy(&to.claim, from.bytes + sizeof to.key, sizeof to.claim);
    return true;
  }
};

} // namespace swapmq::sqlite
