// SPDX-License-Identifier: MIT
//
// What must be the same on both backends, and how far they may differ: all of it is here. A
// difference beyond that is a Breach. README.md gives the reasons.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "breach.h"
#include "operation.h"
#include "seen.h"

namespace swapmq::differential {

/// What both backends declare that they can do: nothing else is asked of them.
struct Powers {
  bool delayed_publish = false, delayed_nack = false, ttl = false, priority = false;
  bool release = false, dead_letter = false, purge = false, max_length = false, ordering = false;
  /// Of the other backend alone: what a dead consumer held comes back counted.
  bool counts_crashes = false;
  /// Of the other backend alone: its consumers can live, and die, in other processes.
  bool processes = false;
  std::uint32_t max_priority = 9;
  std::uint64_t max_body = 4096, max_batch = 12;
  std::int64_t max_delay_ms = 0;
};
Powers common_powers(const swapmq_capabilities& model, const swapmq_limits& model_limits,
                     const swapmq_capabilities& other, const swapmq_limits& other_limits);
bool possible(Kind kind, const Powers& powers);

/// A message of which the model knows how it must look when it is delivered next.
struct Expected {
  Seen seen;                ///< as the model delivers it
  bool first = false;       ///< no consumer had it, whatever the model's flag says
  bool dead_letter = false; ///< it was moved here
  bool read_ahead = false;  ///< a consumer may have had it without having asked for it
};

void same_results(std::span<const contract::Message> sent,
                  std::span<const swapmq_publish_result> model,
                  std::span<const swapmq_publish_result> other);
void same_settlements(std::span<const std::int32_t> actions, std::span<const swapmq_status> model,
                      std::span<const swapmq_status> other);
struct Unsure {
  bool may_exist = false;  ///< a consumer looked into the queue after it was deleted
  bool read_ahead = false; ///< a consumer may have what it did not ask for
};
void same_sizes(const swapmq_queue_stats& model, const swapmq_queue_stats& other,
                const Unsure& unsure);
void same_purge(std::uint64_t model, std::uint64_t other);
void same_delivery(const Expected& model, const Seen& other);
/// The k-th has the priority that the k-th has on the model.
void same_priorities(std::span<const Seen> model, std::span<const Seen> other);
/// It came at `seen.at_ms`, and was not to come before `due_at_ms`.
void not_early(const Seen& seen, std::int64_t due_at_ms);

/// Whether a message that was not confirmed or will never be seen is excused from comparison.
bool expired_when_sent(const contract::Message& message);

} // namespace swapmq::differential
