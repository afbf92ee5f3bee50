// SPDX-License-Identifier: MIT
//
// What the order of deliveries is judged by, and what a consumer may know that the model does not:
// notes about messages, by their ids.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <utility>

#include "message.h"
#include "operation.h"

namespace swapmq::differential {

/// A message is *in place* while nothing but a release has happened to it since it was published
/// without a delay: then its place among those of its queue is promised.
class Ledger {
 public:
  void published(unsigned queue, const contract::Message& message);
  /// Handed to a consumer.
  void delivered(const std::string& id);
  /// Back in its queue as if it had not been delivered.
  void released(const std::string& id);
  /// It has no place any more: nacked, or returned by a dead consumer.
  void displaced(const std::string& id);
  /// Moved to another queue, as a dead letter.
  void moved(const std::string& id, unsigned to);
  void gone(const std::string& id);
  /// All that no consumer holds.
  void emptied(unsigned queue) { lost_their_places(queue); }
  /// The same, where they are still there and may come in any order.
  void lost_their_places(unsigned queue) { ready_in_place_[queue].clear(); }
  [[nodiscard]] unsigned queue_of(const std::string& id) { return notes_[id].queue; }

  /// The message that must come before all others that are in place; empty if none is ready.
  [[nodiscard]] std::string next_in_place(unsigned queue) const;
  [[nodiscard]] bool in_place(const std::string& id) const;
  [[nodiscard]] bool dead_letter(const std::string& id) const;

  /// The model delivered it, the other backend did not: its flag on the model says too much.
  void excuse(const std::string& id);
  [[nodiscard]] bool excused(const std::string& id) const;

 private:
  using Place = std::pair<std::int64_t, std::uint64_t>; ///< falling priority, turn
  struct Note {
    unsigned queue = 0;
    Place place;
    bool has_place = false; ///< held or ready
    bool dead_letter = false;
    bool excused = false;
  };

  std::unordered_map<std::string, Note> notes_;
  std::array<std::map<Place, std::string>, kQueues> ready_in_place_;
  std::uint64_t turn_ = 0;
};

} // namespace swapmq::differential
