// SPDX-License-Identifier: MIT
#include "lanes.hpp"

#include <algorithm>

namespace swapmq::sqlite {
namespace {

using backend::Failure;

Lane read_lane(const Query& query) {
  Lane lane;
  lane.id = query.integer(0);
  lane.next = query.integer(1);
  lane.taken = query.integer(2);
  lane.fresh = query.integer(3);
  lane.again = query.integer(4);
  lane.delayed = query.integer(5);
  lane.unacked = query.integer(6);
  return lane;
}

int64_t free_queue_id(Database& database) {
  {
    Query query(database, "SELECT coalesce(max(id), 0) + 1 FROM queues");
    if (query.step() && query.integer(0) <= kLastQueue) return query.integer(0);
  }
  // Numbers are used again once the last one was given: nothing outlives its queue.
  Query query(database,
              "SELECT min(id) + 1 FROM queues q WHERE id < ?1 AND "
              "NOT EXISTS(SELECT 1 FROM queues n WHERE n.id = q.id + 1)");
  query.bind(kLastQueue);
  if (query.step() && !query.is_null(0)) return query.integer(0);
  Query first(database, "SELECT 1 FROM queues WHERE id = 1");
  if (!first.step()) return 1;
  throw Failure(SWAPMQ_RESOURCE_EXHAUSTED, database.file().path() +
                                               ": holds 65535 queues, the most there can be; "
                                               "delete some, or use a second file");
}

} // namespace

std::optional<QueueRow> find_queue(Database& database, std::string_view name) {
  Query query(database, "SELECT id, max_length FROM queues WHERE name = ?1");
  query.bind(name);
  if (!query.step()) return std::nullopt;
  return QueueRow{query.integer(0), static_cast<uint64_t>(query.integer(1))};
}

QueueRow ensure_queue(Database& database, std::string_view name, uint64_t max_length) {
  if (const auto found = find_queue(database, name)) return *found;
  const QueueRow row{free_queue_id(database), max_length};
  Query(database, "INSERT INTO queues(id, name, max_length, created_ms) VALUES(?1, ?2, ?3, ?4)")
      .bind(row.id)
      .bind(name)
      .bind(static_cast<int64_t>(row.max_length))
      .bind(backend::unix_now_ms())
      .run();
  return row;
}

std::string name_of_queue(Database& database, int64_t queue) {
  Query query(database, "SELECT name FROM queues WHERE id = ?1");
  query.bind(queue);
  return query.step() ? std::string(query.blob(0)) : std::string();
}

Lane* Lanes::known(int64_t lane) {
  for (Lane& candidate : lanes_) {
    if (candidate.id == lane) return &candidate;
  }
  return nullptr;
}

Lane& Lanes::at(int64_t lane) {
  if (Lane* found = known(lane)) return *found;
  Query query(database_,
              "SELECT lane, next, taken, fresh, again, delayed, unacked FROM lanes "
              "WHERE lane = ?1");
  query.bind(lane);
  Lane read;
  read.id = lane;
  if (query.step()) read = read_lane(query);
  return lanes_.emplace_back(read);
}

std::deque<Lane*> Lanes::of_queue(int64_t queue) {
  Query query(database_,
              "SELECT lane, next, taken, fresh, again, delayed, unacked FROM lanes "
              "WHERE lane BETWEEN ?1 AND ?2 ORDER BY lane");
  query.bind(first_lane(queue)).bind(last_lane(queue));
  std::deque<Lane*> found;
  while (query.step()) {
    Lane* lane = known(query.integer(0));
    found.push_back(lane != nullptr ? lane : &lanes_.emplace_back(read_lane(query)));
  }
  // Those that this transaction has begun and not saved yet.
  for (Lane& lane : lanes_) {
    if (queue_of_lane(lane.id) != queue) continue;
    if (std::find(found.begin(), found.end(), &lane) == found.end()) found.push_back(&lane);
  }
  std::sort(found.begin(), found.end(), [](const Lane* a, const Lane* b) { return a->id < b->id; });
  return found;
}

void Lanes::save() {
  for (Lane& lane : lanes_) {
    if (!lane.dirty) continue;
    if (lane.fresh < 0 || lane.again < 0 || lane.delayed < 0 || lane.unacked < 0) {
      throw contradiction(database_, "a queue holds fewer than no messages");
    }
    Query(database_,
          "INSERT OR REPLACE INTO lanes(lane, next, taken, fresh, again, delayed, unacked) "
          "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)")
        .bind(lane.id)
        .bind(lane.next)
        .bind(lane.taken)
        .bind(lane.fresh)
        .bind(lane.again)
        .bind(lane.delayed)
        .bind(lane.unacked)
        .run();
    lane.dirty = false;
  }
}

Failure contradiction(Database& database, const std::string& what) {
  return {SWAPMQ_CORRUPT, database.file().path() + ": is damaged (" + what +
                              "); nothing is served from it: move it away, then restore a backup "
                              "or salvage it with `sqlite3 FILE .recover`"};
}

} // namespace swapmq::sqlite
