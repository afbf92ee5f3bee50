// SPDX-License-Identifier: MIT
//
// The messages of one publish on their way in: checked, weighed against the store's bytes, copied.
// All of it happens before the queue's lock is taken.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "entry.hpp"
#include "store.hpp"

namespace swapmq::memory {

/// The largest body, whatever the options say: what other brokers take, so that it can be moved.
inline constexpr uint64_t kMaxBodyBytes = uint64_t{128} << 20;
/// What of max_bytes is kept for the rest of a message when the limit of bodies is told.
inline constexpr uint64_t kBodyMargin = 4096;

/// The limit of bodies in a store of so many bytes.
constexpr uint64_t max_body_bytes(uint64_t max_bytes) {
  return max_bytes - kBodyMargin < kMaxBodyBytes ? max_bytes - kBodyMargin : kMaxBodyBytes;
}

/// Belongs to one session, which uses it again for each publish.
class Intake {
 public:
  /// Makes an entry of each message. One that is refused gets its result and a null; after the
  /// first for which the store has no bytes, the rest fails with it, so that a retry keeps the
  /// order.
  std::span<EntryPtr> prepare(backend::Messages messages, backend::PublishResults results,
                              Store& store, Grant& grant, int64_t now_ms, Aftermath& aftermath);

  /// Lets go of what the queue did not take, and of the room of an unusually large publish.
  void clear();

 private:
  uint64_t weigh(backend::Messages messages, backend::PublishResults results, const Budget& budget);

  std::vector<EntryPtr> entries_;
  std::vector<uint64_t> weights_; // 0: refused
};

} // namespace swapmq::memory
