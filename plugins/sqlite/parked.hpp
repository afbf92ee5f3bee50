// SPDX-License-Identifier: MIT
//
// Parked messages: those that were handed out and came back, or wait for their time. They stand
// apart from the lane's own line and are delivered before it, in the order in which they were
// published.
#pragma once

#include <cstdint>

#include "database.hpp"
#include "lanes.hpp"

namespace swapmq::sqlite {

/// Numbers in the database.
enum ParkedState : int64_t { kParkedReady = 0, kParkedDelayed = 1, kParkedHeld = 2 };

struct Parked {
  int64_t key = 0;
  int64_t state = kParkedReady;
  int64_t due_ms = 0;  // delayed; held: claimed before this, its time; else 0
  int64_t counted = 0; // deliveries that ended in a counted return
  int64_t handed = 0;  // 1: was handed out before
  int64_t claim = 0;
};

void insert_parked(Database& database, const Parked& parked);
void delete_parked(Database& database, int64_t key);
/// False if the message is not parked.
bool find_parked(Database& database, int64_t key, Parked& parked);
void update_parked(Database& database, const Parked& parked);

/// Makes up to `most` delayed messages of the lane ready whose time has come.
void promote_due(Database& database, Lane& lane, int64_t now_ms, int64_t most);
/// When the next delayed message of the lane is due; -1: none is.
int64_t next_due_ms(Database& database, int64_t lane);

} // namespace swapmq::sqlite
