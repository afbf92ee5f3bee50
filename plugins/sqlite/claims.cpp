// SPDX-License-Identifier: MIT
#include "claims.hpp"

#include <vector>

#include "keys.hpp"

namespace swapmq::sqlite {
namespace {

Claim read_claim(const Query& query) {
  Claim claim;
  claim.id = query.integer(0);
  claim.lane = query.integer(1);
  claim.first = query.integer(2);
  claim.last = query.integer(3);
  claim.held = query.integer(4);
  claim.parked = query.integer(5);
  claim.exists = true;
  return claim;
}

/// Parks what is still held of the claim's range; the count of what was held says if all is there.
int64_t park_range(Database& database, const Claim& claim, bool counted) {
  if (claim.first > claim.last) return 0;
  Query(database,
        "INSERT INTO expiry(lane, expires_ms, key) SELECT ?1, m.expires_ms, m.key FROM messages m "
        "WHERE m.key BETWEEN ?2 AND ?3 AND m.expires_ms IS NOT NULL "
        "AND NOT EXISTS(SELECT 1 FROM parked p WHERE p.key = m.key)")
      .bind(claim.lane)
      .bind(claim.first)
      .bind(claim.last)
      .run();
  Query(database,
        "INSERT INTO parked(key, place, lane, state, due_ms, counted, handed, claim) "
        "SELECT m.key, m.key, ?1, 0, 0, ?2, 1, 0 FROM messages m WHERE m.key BETWEEN ?3 AND ?4 "
        "AND NOT EXISTS(SELECT 1 FROM parked p WHERE p.key = m.key)")
      .bind(claim.lane)
      .bind(int64_t{counted ? 1 : 0})
      .bind(claim.first)
      .bind(claim.last)
      .run();
  return database.changes();
}

/// Those that were claimed before their time and are to wait for it again; never counted.
int64_t park_until_due(Database& database, const Claim& claim, int64_t now_ms) {
  Query(database,
        "UPDATE parked INDEXED BY parked_claim SET state = 1, claim = 0 "
        "WHERE state = 2 AND claim = ?1 AND due_ms > ?2")
      .bind(claim.id)
      .bind(now_ms)
      .run();
  return database.changes();
}

/// What the claim holds of parked messages may end again.
void note_ends(Database& database, const Claim& claim) {
  Query(database,
        "INSERT INTO expiry(lane, expires_ms, key) SELECT ?1, m.expires_ms, m.key "
        "FROM parked p INDEXED BY parked_claim CROSS JOIN messages m ON m.key = p.key "
        "WHERE p.state = 2 AND p.claim = ?2 AND m.expires_ms IS NOT NULL")
      .bind(claim.lane)
      .bind(claim.id)
      .run();
}

int64_t park_again(Database& database, const Claim& claim, bool counted) {
  // A claim before its time was no delivery.
  Query(database,
        "UPDATE parked INDEXED BY parked_claim SET state = 0, claim = 0, due_ms = 0, "
        "counted = counted + (CASE WHEN due_ms = 0 THEN ?1 ELSE 0 END) "
        "WHERE state = 2 AND claim = ?2")
      .bind(int64_t{counted ? 1 : 0})
      .bind(claim.id)
      .run();
  return database.changes();
}

/// Whether a message is still the claim's, whatever its count says.
bool holds_any(Database& database, const Claim& claim) {
  Query query(
      database,
      "SELECT EXISTS(SELECT 1 FROM messages m WHERE m.key BETWEEN ?1 AND ?2 "
      "AND NOT EXISTS(SELECT 1 FROM parked p WHERE p.key = m.key)) "
      "OR EXISTS(SELECT 1 FROM parked INDEXED BY parked_claim WHERE state = 2 AND claim = ?3)");
  query.bind(claim.first).bind(claim.last).bind(claim.id);
  return query.step() && query.integer(0) != 0;
}

} // namespace

void insert_claim(Database& database, const Claim& claim) {
  Query(database,
        "INSERT INTO claims(id, lane, first, last, held, parked) VALUES(?1, ?2, ?3, ?4, ?5, 0)")
      .bind(claim.id)
      .bind(claim.lane)
      .bind(claim.first)
      .bind(claim.last)
      .bind(claim.held)
      .run();
}

Claim& Claims::at(int64_t id) {
  if (latest_ != nullptr && latest_->id == id) return *latest_;
  for (Claim& claim : claims_) {
    if (claim.id == id) return *(latest_ = &claim);
  }
  Query query(database_, "SELECT id, lane, first, last, held, parked FROM claims WHERE id = ?1");
  query.bind(id);
  Claim claim;
  claim.id = id;
  if (query.step()) claim = read_claim(query);
  return *(latest_ = &claims_.emplace_back(claim));
}

void Claims::end(Claim& claim) {
  // Forgotten with its claim, a message would never be delivered again.
  if (holds_any(database_, claim))
    throw contradiction(database_, "a claim holds more messages than it counts");
  Query(database_, "DELETE FROM claims WHERE id = ?1").bind(claim.id).run();
  claim.exists = false;
  claim.dirty = false;
}

void Claims::let_go(Claim& claim) {
  --claim.held;
  claim.dirty = true;
  if (claim.held == 0) end(claim);
}

void Claims::save() {
  for (Claim& claim : claims_) {
    if (!claim.dirty) continue;
    claim.dirty = false;
    if (claim.held < 0) throw contradiction(database_, "a claim holds fewer than no messages");
    Query(database_, "UPDATE claims SET held = ?1, parked = ?2 WHERE id = ?3")
        .bind(claim.held)
        .bind(claim.parked)
        .bind(claim.id)
        .run();
  }
}

int64_t return_claims(Database& database, WriteTransaction& transaction, Lanes& lanes,
                      int64_t consumer, bool counted) {
  std::vector<Claim> claims;
  {
    Query query(database,
                "SELECT id, lane, first, last, held, parked FROM claims "
                "WHERE id BETWEEN ?1 AND ?2");
    query.bind(first_claim(consumer)).bind(last_claim(consumer));
    while (query.step()) claims.push_back(read_claim(query));
  }
  const int64_t now_ms = backend::unix_now_ms();
  int64_t returned = 0;
  for (const Claim& claim : claims) {
    note_ends(database, claim);
    const int64_t delayed = park_until_due(database, claim, now_ms);
    const int64_t again =
        park_range(database, claim, counted) + park_again(database, claim, counted);
    const int64_t back = delayed + again;
    if (back != claim.held) throw contradiction(database, "a claim lacks messages that it holds");
    Lane& lane = lanes.at(claim.lane);
    lane.unacked -= back;
    lane.again += again;
    lane.delayed += delayed;
    lane.dirty = true;
    returned += again;
    transaction.wake_later(name_of_queue(database, queue_of_lane(claim.lane)));
  }
  Query(database, "DELETE FROM claims WHERE id BETWEEN ?1 AND ?2")
      .bind(first_claim(consumer))
      .bind(last_claim(consumer))
      .run();
  Query(database, "DELETE FROM consumers WHERE id = ?1").bind(consumer).run();
  return returned;
}

} // namespace swapmq::sqlite
