// SPDX-License-Identifier: MIT
//
// Lanes and queues as a transaction sees them. A lane holds the messages of one queue and one
// priority; its row keeps where its line begins and ends, and how many messages are in which state,
// so that the sizes of a queue are exact and cost one read.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "database.hpp"
#include "keys.hpp"
#include "swapmq/backend.h"

namespace swapmq::sqlite {

struct QueueRow {
  int64_t id = 0;
  uint64_t max_length = 0;
};

std::optional<QueueRow> find_queue(Database& database, std::string_view name);
/// Finds it, or makes it within the running write transaction.
QueueRow ensure_queue(Database& database, std::string_view name, uint64_t max_length);
std::string name_of_queue(Database& database, int64_t queue);

struct Lane {
  int64_t id = 0;
  int64_t next = 1;    // sequence of the next message
  int64_t taken = 0;   // sequence up to which messages were claimed at least once
  int64_t fresh = 0;   // beyond `taken`, ready
  int64_t again = 0;   // parked, ready
  int64_t delayed = 0; // parked until their time
  int64_t unacked = 0; // held by a claim
  bool dirty = false;

  [[nodiscard]] int64_t ready() const { return fresh + again; }
  [[nodiscard]] int64_t all() const { return fresh + again + delayed + unacked; }
};

/// The lanes that a transaction has to do with: read when first asked for, written back by save().
class Lanes {
 public:
  explicit Lanes(Database& database) : database_(database) {}

  /// The reference stays valid; mark it dirty when changed.
  Lane& at(int64_t lane);
  /// Every lane of the queue that has a row, highest priority first.
  std::deque<Lane*> of_queue(int64_t queue);
  /// Throws CORRUPT where counts do not fit together.
  void save();

 private:
  Lane* known(int64_t lane);

  Database& database_;
  std::deque<Lane> lanes_;
};

/// The Failure for a file whose contents contradict each other.
backend::Failure contradiction(Database& database, const std::string& what);

} // namespace swapmq::sqlite
