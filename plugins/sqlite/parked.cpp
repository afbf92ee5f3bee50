// SPDX-License-Identifier: MIT
#include "parked.hpp"

#include "keys.hpp"

namespace swapmq::sqlite {

void insert_parked(Database& database, const Parked& parked) {
  Query(database,
        "INSERT INTO parked(key, place, lane, state, due_ms, counted, handed, claim) "
        "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")
      .bind(parked.key)
      .bind(place_of(parked.key))
      .bind(lane_of_key(parked.key))
      .bind(parked.state)
      .bind(parked.due_ms)
      .bind(parked.counted)
      .bind(parked.handed)
      .bind(parked.claim)
      .run();
}

void delete_parked(Database& database, int64_t key) {
  Query(database, "DELETE FROM parked WHERE key = ?1").bind(key).run();
}

bool find_parked(Database& database, int64_t key, Parked& parked) {
  Query query(database, "SELECT state, due_ms, counted, handed, claim FROM parked WHERE key = ?1");
  query.bind(key);
  if (!query.step()) return false;
  parked = {key,
            query.integer(0),
            query.integer(1),
            query.integer(2),
            query.integer(3),
            query.integer(4)};
  return true;
}

void update_parked(Database& database, const Parked& parked) {
  Query(database,
        "UPDATE parked SET state = ?1, due_ms = ?2, counted = ?3, handed = ?4, claim = ?5 "
        "WHERE key = ?6")
      .bind(parked.state)
      .bind(parked.due_ms)
      .bind(parked.counted)
      .bind(parked.handed)
      .bind(parked.claim)
      .bind(parked.key)
      .run();
}

void promote_due(Database& database, Lane& lane, int64_t now_ms, int64_t most) {
  Query(database,
        "UPDATE parked SET state = 0, due_ms = 0 WHERE key IN (SELECT key FROM parked "
        "INDEXED BY parked_due WHERE state = 1 AND lane = ?1 AND due_ms <= ?2 "
        "ORDER BY due_ms LIMIT ?3)")
      .bind(lane.id)
      .bind(now_ms)
      .bind(most)
      .run();
  const int64_t promoted = database.changes();
  if (promoted == 0) return;
  lane.delayed -= promoted;
  lane.again += promoted;
  lane.dirty = true;
}

int64_t next_due_ms(Database& database, int64_t lane) {
  Query query(database,
              "SELECT due_ms FROM parked INDEXED BY parked_due WHERE state = 1 AND lane = ?1 "
              "ORDER BY due_ms LIMIT 1");
  query.bind(lane);
  return query.step() ? query.integer(0) : -1;
}

} // namespace swapmq::sqlite
