// SPDX-License-Identifier: MIT
//
// The consumers that wait at a queue, in the order in which they came.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "aftermath.hpp"
#include "parker.hpp"

namespace swapmq::memory {

/// One exchange() that waits; lives on its stack.
struct Waiter {
  std::shared_ptr<Parker> parker;
  std::size_t want = 0;    // how many messages it would take
  std::size_t holding = 0; // how many its subscription holds unsettled

  // The room's own.
  Waiter* before = nullptr;
  Waiter* behind = nullptr;
  bool in_line = false;
  bool called = false;
  bool came_in_vain = false;
};

/// Not thread-safe: its queue's lock covers it.
///
/// Who is called is taken from the line, and counts as good for as many messages as it wants until
/// it has looked. So n new messages call as many as are needed for n, and no call is ever lost: who
/// leaves, for whatever reason, makes the queue look again whether somebody else must be called.
///
/// Delayed messages need somebody who wakes when the first is due. One waiter keeps the time for
/// all; the others sleep until they are called.
class WaitingRoom {
 public:
  /// Before it sleeps, each time. One that is still in line keeps its place, one that was called in
  /// vain gets the first. Returns the time (unix) at which this waiter must wake for the queue's
  /// sake, if it is the one who keeps it.
  std::optional<int64_t> enter(Waiter& waiter, std::optional<int64_t> next_due_ms);
  /// When it woke, for whatever reason, and is about to look.
  void awake(Waiter& waiter);
  /// When it goes for good.
  void leave(Waiter& waiter);

  /// Calls as many of those who `can_take` as `ready` messages need.
  template <class CanTake>
  void call_for(std::size_t ready, CanTake&& can_take, Aftermath& aftermath) {
    for (Waiter* waiter = first_; waiter != nullptr && promised_ < ready;) {
      Waiter* next = waiter->behind;
      if (can_take(*waiter)) call(*waiter, aftermath);
      waiter = next;
    }
  }

  /// Sees to it that somebody wakes in time for the next delayed message.
  void keep_time(std::optional<int64_t> next_due_ms, Aftermath& aftermath);

  void call_all(Aftermath& aftermath);

 private:
  void call(Waiter& waiter, Aftermath& aftermath);
  void link(Waiter& waiter);
  void unlink(Waiter& waiter);

  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
  std::size_t called_ = 0;   // waiters called that have not looked yet
  std::size_t promised_ = 0; // what they want together
  Waiter* timekeeper_ = nullptr;
  int64_t wakes_at_ms_ = 0; // when the timekeeper does
};

} // namespace swapmq::memory
