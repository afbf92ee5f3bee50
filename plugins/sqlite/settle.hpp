// SPDX-License-Identifier: MIT
//
// Settling deliveries within a running write transaction: ack, nack, release, dead-letter.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "claims.hpp"
#include "database.hpp"
#include "keys.hpp"
#include "lanes.hpp"
#include "message_writer.hpp"
#include "parked.hpp"
#include "swapmq/backend.hpp"

namespace swapmq::sqlite {

/// Where a dead letter goes.
struct DeadLetterTarget {
  std::string_view name;
  uint64_t max_length = 0; // for a queue that is made by it
};

class Settler {
 public:
  /// `max_messages`: the bound of the options on every queue; 0: none.
  Settler(Database& database, WriteTransaction& transaction, Lanes& lanes, uint64_t max_messages);

  /// OK, LOST, or why it could not be done, in which case the delivery is still unsettled.
  swapmq_status settle(const swapmq_settlement& settlement, const DeadLetterTarget* target);
  /// To be called once, before the lanes are saved.
  void save() { claims_.save(); }

 private:
  /// A delivery that proved to be still held.
  struct Held {
    Receipt receipt;
    Claim* claim = nullptr;
    bool parked = false;
    Parked row;
  };

  bool find_held(const Receipt& receipt, Held& held);
  swapmq_status ack(const Held& held);
  swapmq_status give_back(Held& held, int64_t due_ms, bool counted);
  swapmq_status dead_letter(const Held& held, const swapmq_settlement& settlement,
                            const DeadLetterTarget& target);
  bool remove(const Held& held);
  /// Books that the claim holds one message less.
  Lane& let_go(const Held& held);

  Database& database_;
  WriteTransaction& transaction_;
  Lanes& lanes_;
  Claims claims_;
  uint64_t max_messages_;
  int64_t now_ms_;
  std::optional<MessageWriter> writer_; // made when the first dead letter comes
};

} // namespace swapmq::sqlite
