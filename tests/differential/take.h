// SPDX-License-Identifier: MIT
//
// Receiving on both sides. The model gives what it would give; the other backend must give as many,
// and where it rightly chooses others of those that are ready, the model follows its choice.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "world.h"

namespace swapmq::differential {

struct Request {
  unsigned queue = 0;
  std::uint64_t asked = 0;   ///< of the other backend; may be beyond its room
  std::uint64_t room = 0;    ///< no more may come than this
  std::uint64_t awaited = 0; ///< so many come, some of them later
  bool alone = false;        ///< the queue's only consumer
  bool may_pend = false;     ///< what is settled may be answered later
  /// Of the other backend. The model's are settled before: only then is known what is ready.
  std::span<const Settlement> settlements;
};

struct Exchanged {
  std::vector<swapmq_status> settled; ///< by the other backend
  std::vector<Pair> pairs;            ///< in its order
};

std::vector<swapmq_status> settle_on_model(Consumer& model,
                                           std::span<const Settlement> settlements);

Exchanged take(World& world, Consumer& model, Consumer& other, const Request& request);

/// What the model gives for the request.
std::vector<Delivered> take_from_model(World& world, Consumer& model, const Request& request);
/// Compares it with what the other backend gave, and gives the model's deliveries in that order.
std::vector<Delivered> follow(World& world, Consumer& model, const Request& request,
                              std::vector<Delivered> given, std::span<const Seen> other);

/// The queue's collector takes all but the `far` that are delayed for long; none of `due` comes
/// before its time.
struct Due {
  std::string id;
  std::int64_t at_ms = 0;
};
void collect(World& world, unsigned queue, std::uint64_t far, std::span<const Due> due);

} // namespace swapmq::differential
