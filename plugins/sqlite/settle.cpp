// SPDX-License-Identifier: MIT
#include "settle.hpp"

namespace swapmq::sqlite {
Settler::Settler(Database& database, WriteTransaction& transaction, Lanes& lanes,
                 uint64_t max_messages)
    : database_(database),
      transaction_(transaction),
      lanes_(lanes),
      claims_(database),
      max_messages_(max_messages),
      now_ms_(backend::unix_now_ms()) {}

swapmq_status Settler::settle(const swapmq_settlement& settlement, const DeadLetterTarget* target) {
  Held held;
  if (!Receipt::decode(settlement.delivery->receipt, held.receipt)) return SWAPMQ_LOST;
  if (!find_held(held.receipt, held)) return SWAPMQ_LOST;
  switch (settlement.action) {
    case SWAPMQ_SETTLE_ACK:
      return ack(held);
    case SWAPMQ_SETTLE_NACK:
      return give_back(held, settlement.due_at_ms, true);
    case SWAPMQ_SETTLE_RELEASE:
      // Claimed before its time, it waits for it again.
      return give_back(held, held.row.due_ms, false);
    case SWAPMQ_SETTLE_DEAD_LETTER:
      return target != nullptr ? dead_letter(held, settlement, *target) : SWAPMQ_INVALID_ARGUMENT;
    default:
      return SWAPMQ_INVALID_ARGUMENT;
  }
}

bool Settler::find_held(const Receipt& receipt, Held& held) {
  held.claim = &claims_.at(receipt.claim);
  if (!held.claim->exists || held.claim->held == 0) return false;
  if (held.claim->covers(receipt.key)) {
    // Of the range, and not parked since: then it is this claim's if it exists at all.
    return held.claim->parked == 0 || !find_parked(database_, receipt.key, held.row);
  }
  held.parked = find_parked(database_, receipt.key, held.row);
  return held.parked && held.row.state == kParkedHeld && held.row.claim == receipt.claim;
}

bool Settler::remove(const Held& held) {
  Query(database_, "DELETE FROM messages WHERE key = ?1").bind(held.receipt.key).run();
  if (database_.changes() == 0) return false;
  if (held.parked) delete_parked(database_, held.receipt.key);
  return true;
}

Lane& Settler::let_go(const Held& held) {
  claims_.let_go(*held.claim);
  Lane& lane = lanes_.at(held.claim->lane);
  --lane.unacked;
  lane.dirty = true;
  return lane;
}

swapmq_status Settler::ack(const Held& held) {
  if (!remove(held)) return SWAPMQ_LOST;
  let_go(held);
  return SWAPMQ_OK;
}

swapmq_status Settler::give_back(Held& held, int64_t due_ms, bool counted) {
  const int64_t key = held.receipt.key;
  int64_t expires_ms = 0;
  {
    Query query(database_, "SELECT expires_ms FROM messages WHERE key = ?1");
    query.bind(key);
    if (!query.step()) return SWAPMQ_LOST;
    expires_ms = query.integer(0);
  }
  transaction_.wake_later(name_of_queue(database_, queue_of_lane(held.claim->lane)));
  if (expires_ms != 0 && expires_ms <= now_ms_) {
    // Its time ended while it was held: nobody is to get it any more.
    remove(held);
    let_go(held);
    return SWAPMQ_OK;
  }
  const bool delayed = due_ms > now_ms_;
  const bool before_its_time = held.row.due_ms != 0; // then it was claimed, not delivered
  held.row.key = key;
  held.row.state = delayed ? kParkedDelayed : kParkedReady;
  held.row.due_ms = delayed ? due_ms : 0;
  held.row.counted += counted ? 1 : 0;
  if (!before_its_time || counted) held.row.handed = 1;
  held.row.claim = 0;
  if (held.parked) {
    update_parked(database_, held.row);
  } else {
    insert_parked(database_, held.row);
    ++held.claim->parked;
  }
  Lane& lane = let_go(held);
  ++(delayed ? lane.delayed : lane.again);
  if (expires_ms != 0) note_expiry(database_, key, expires_ms);
  return SWAPMQ_OK;
}

swapmq_status Settler::dead_letter(const Held& held, const swapmq_settlement& settlement,
                                   const DeadLetterTarget& target) {
  const QueueRow queue = ensure_queue(database_, target.name, target.max_length);
  if (queue.id != queue_of_lane(held.claim->lane) &&
      room_in(database_, lanes_, queue, max_messages_, 1) == 0) {
    return SWAPMQ_RESOURCE_EXHAUSTED;
  }
  if (!remove(held)) return SWAPMQ_LOST;
  let_go(held);
  const backend::DeadLetter moved(settlement);
  if (!writer_) writer_.emplace(database_, lanes_);
  writer_->add(queue.id, moved.message(), now_ms_);
  transaction_.wake_later(target.name);
  return SWAPMQ_OK;
}

} // namespace swapmq::sqlite
