// SPDX-License-Identifier: MIT
//
// Stores messages at the end of their lane, within a running write transaction: what publishing and
// dead-lettering have in common.
#pragma once

#include <cstdint>
#include <string>

#include "database.hpp"
#include "lanes.hpp"
#include "swapmq/backend.h"

namespace swapmq::sqlite {

class MessageWriter {
 public:
  MessageWriter(Database& database, Lanes& lanes)
      : database_(database),
        lanes_(lanes),
        insert_(database,
                "INSERT INTO messages(key, id, sent_ms, expires_ms, extra, checksum, body) "
                "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)") {}

  /// The lanes are to be saved before the commit.
  void add(int64_t queue, const swapmq_message& message, int64_t now_ms);

 private:
  Database& database_;
  Lanes& lanes_;
  Query insert_;
  std::string extra_;
};

/// Remembers when a message that is ready or delayed ends; nothing is kept for one that is held.
void note_expiry(Database& database, int64_t key, int64_t expires_ms);
void forget_expiry(Database& database, int64_t key, int64_t expires_ms);
/// Removes up to `most` ready or delayed messages of the queue that have expired; returns how many.
int64_t drop_expired(Database& database, Lanes& lanes, int64_t queue, int64_t now_ms, int64_t most);

/// How many more messages the queue takes, where one is added for each that is wanted; what has
/// expired does not stand in the way of what comes. `max_messages`: the bound of every queue, 0:
/// none.
uint64_t room_in(Database& database, Lanes& lanes, const QueueRow& queue, uint64_t max_messages,
                 uint64_t wanted);

} // namespace swapmq::sqlite
