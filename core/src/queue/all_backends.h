// SPDX-License-Identifier: MIT
//
// Looking at and managing a queue wherever it lies: after a switch a part of it may still be on a
// backend that was left.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "queue/queue_rules.h"
#include "queue/session_pool.h"
#include "queue/side.h"

namespace swapmq::queue {

/// One of the backends that are consumed from.
struct Place {
  std::string key;            ///< as a switch knows it
  std::shared_ptr<Side> side; ///< null: it could not be opened yet
  bool only_watched = false;  ///< not active, and nothing is known to be owed there
  Error error;                ///< why there is no side
};

/// For one call. Where there are several backends, errors begin with the key of theirs. The
/// functions block up to the deadline; one backend that does not answer leaves the others their
/// share of that time.
class AllBackends {
 public:
  /// `places`: the active one first, those that are only watched last. The rules outlive it.
  AllBackends(std::vector<Place> places, const QueueRules& rules)
      : places_(std::move(places)), rules_(rules) {}

  /// Sums, read one after the other.
  Result<QueueStats> stats(std::string_view queue, Deadline deadline) const;
  Result<std::uint64_t> purge(std::string_view queue, Deadline deadline) const;
  Error delete_queue(std::string_view queue, Deadline deadline) const;
  Result<std::vector<std::string>> list_queues(Deadline deadline) const;
  /// Those of one backend after those of another.
  Result<std::vector<Delivery>> peek(std::string_view queue, std::size_t max,
                                     Deadline deadline) const;

 private:
  /// A session at one of them, with the handle of a queue if there is a name.
  struct Visit {
    SessionPool::Lease session;
    swapmq_queue* queue = nullptr;
    Deadline until;
  };
  [[nodiscard]] Result<Visit> visit(std::size_t place, std::string_view queue,
                                    Deadline deadline) const;
  Result<std::vector<Delivery>> peek_at(std::size_t place, std::string_view queue, std::size_t max,
                                        Deadline deadline) const;
  Result<swapmq_queue_stats> stats_at(std::size_t place, std::string_view queue,
                                      Deadline deadline) const;
  /// Says which of them it is, if there are several.
  [[nodiscard]] Error named(const Place& place, const Error& error) const;
  class Changes;

  const std::vector<Place> places_;
  const QueueRules& rules_;
};

} // namespace swapmq::queue
