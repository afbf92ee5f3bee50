// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "queue/side.h"
#include "switch/record.h"
#include "switch/traffic.h"

namespace swapmq::switching {

struct Sizes {
  std::uint64_t ready = 0, unacked = 0, delayed = 0;

  [[nodiscard]] std::uint64_t all() const { return ready + unacked + delayed; }
};

/// What lies in the queues of a side, as one look at each of them saw it.
struct Backlog {
  std::map<std::string, Sizes> queues; ///< all that were looked at, but for dead-letter queues
  Sizes sum;                           ///< of these
  std::map<std::string, std::uint64_t> dead_letters; ///< by queue, where there are any; all sizes
  /// Every number is exact: nothing is a reason to believe that there is nothing. Otherwise it is
  /// one to look again.
  bool exact = true;
};

/// By queue, what lies there at all, dead letters too.
Record::Sizes all_of(const Backlog& backlog);
/// "3 in "A", 1 in "B"".
std::string named(const Record::Sizes& sizes);
/// How much an operator is about to give up.
std::string in_words(const Sizes& sum, const Record::Sizes& by_queue);

/// Reads the sizes of all queues that the record knows of and of their dead-letter queues, which
/// are told apart. Where it does not know all, the backend must list them; not_supported: it
/// cannot. Blocks up to the deadline.
Result<Backlog> read_backlog(queue::Side& side, const Record& record, Traffic& traffic,
                             queue::Deadline deadline);

} // namespace swapmq::switching
