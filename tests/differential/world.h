// SPDX-License-Identifier: MIT
//
// The two backends of a test side by side, their consumers in pairs, and what is known of the
// messages. One sequence of operations lives in one world.
#pragma once

#include <array>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "coverage.h"
#include "ledger.h"
#include "rules.h"
#include "side.h"

namespace swapmq::differential {

/// A collector has room for all that can be there.
inline constexpr std::uint32_t kCollectorPrefetch = 5000;

/// What the user asked for, and the plugins.
struct Setting {
  contract::Kit model, other;
  std::string other_options; ///< as they were given, with {dir}
  std::string dir;           ///< of the run
  Powers powers;
  milliseconds patience{10000};      ///< with what must come
  milliseconds dying_lease{300};     ///< of a consumer that is going to die
  milliseconds living_lease{120000}; ///< of the others, which keep what they hold
  /// The other backend keeps messages ready for a consumer that did not ask for them yet.
  bool reads_ahead = false;
  /// What a consumer gave back others see a moment later, and newer messages may go first.
  bool returns_late = false;
};

/// A delivery that is in hand on both sides.
struct Pair {
  Delivered model, other;
  bool deleted = false; ///< its queue was deleted since
  [[nodiscard]] const std::string& id() const { return model.seen.message.id; }
};

/// A consumer, on both sides.
struct Slot {
  std::unique_ptr<Consumer> model, other; ///< NULL: not subscribed
  std::uint32_t prefetch = 1;             ///< on the other side; the model has no such limit
  std::vector<Pair> held;
  std::deque<Pair> settled; ///< the last few

  [[nodiscard]] bool subscribed() const { return other != nullptr; }
  /// How many more it may hold.
  [[nodiscard]] std::uint64_t room() const;
};

class World {
 public:
  /// `patience` may be shorter than the setting's, where a false alarm does no harm.
  World(Setting& setting, Coverage& coverage, milliseconds patience);

  Slot& slot(const Operation& operation) { return slots_[operation.queue][operation.consumer]; }
  Slot& collector(unsigned queue) { return slots_[queue][kCollector]; }
  std::array<Slot, kConsumers>& slots_of(unsigned queue) { return slots_[queue]; }
  /// Where a consumer may have what it did not ask for, it is the only one of its queue.
  void subscribe(unsigned queue, Slot& slot, std::uint32_t prefetch);
  /// It gives back what it holds, as released.
  void leave(unsigned queue, Slot& slot, bool with_its_session);
  void released(const std::string& id);
  /// All of them leave, if one of them may have what it did not ask for.
  void settle_down(unsigned queue);
  /// How many consumers the queue has.
  [[nodiscard]] unsigned subscribed(unsigned queue) const;

  /// Whether the queue refuses what is beyond its length.
  [[nodiscard]] bool bounded(unsigned queue) const { return other.queues()[queue].max_length != 0; }
  /// Messages in the queue, in whatever state.
  std::uint64_t size(unsigned queue);

  /// Signs of life of all sessions, if it is time for them.
  void service();

  Setting& setting;
  Coverage& coverage;
  const milliseconds patience;
  Side model, other;
  Ledger ledger;
  std::uint64_t next_message = 1;
  /// A consumer looked into the queue after it was deleted, and may have made it again.
  std::array<bool, kQueues> may_exist{};
  std::array<bool, kQueues> deleted{};

 private:
  std::array<std::array<Slot, kConsumers>, kQueues> slots_;
  contract::Clock::time_point serviced_ = contract::Clock::now();
};

} // namespace swapmq::differential
