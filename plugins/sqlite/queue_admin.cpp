// SPDX-License-Identifier: MIT
#include "queue_admin.hpp"

#include <optional>

#include "keys.hpp"
#include "lanes.hpp"
#include "message_writer.hpp"
#include "parked.hpp"

namespace swapmq::sqlite {
namespace {

// What time has done to a queue is caught up in transactions of this many messages.
constexpr int64_t kMostAtOnce = 10'000;

/// Whether there are delayed messages whose time has come, or expired ones.
bool is_behind(Database& database, const Lane& lane, int64_t now_ms) {
  if (lane.delayed > 0) {
    const int64_t due = next_due_ms(database, lane.id);
    if (due >= 0 && due <= now_ms) return true;
  }
  Query query(database, "SELECT 1 FROM expiry WHERE lane = ?1 AND expires_ms <= ?2 LIMIT 1");
  query.bind(lane.id).bind(now_ms);
  return query.step();
}

/// Adds up the lanes; false if some of them are behind the time.
bool add_up(Database& database, std::string_view name, int64_t now_ms, swapmq_queue_stats& stats) {
  const auto queue = find_queue(database, name);
  if (!queue) return true;
  stats.exists = 1;
  Lanes lanes(database);
  for (const Lane* lane : lanes.of_queue(queue->id)) {
    if (is_behind(database, *lane, now_ms)) return false;
    stats.ready += static_cast<uint64_t>(lane->ready());
    stats.unacked += static_cast<uint64_t>(lane->unacked);
    stats.delayed += static_cast<uint64_t>(lane->delayed);
  }
  return true;
}

void catch_up(Database& database, std::string_view name, int64_t now_ms) {
  WriteTransaction transaction(database, false);
  const auto queue = find_queue(database, name);
  if (!queue) return;
  Lanes lanes(database);
  drop_expired(database, lanes, queue->id, now_ms, kMostAtOnce);
  for (Lane* lane : lanes.of_queue(queue->id)) {
    if (lane->delayed > 0) promote_due(database, *lane, now_ms, kMostAtOnce);
  }
  lanes.save();
  transaction.commit();
}

void run_for_range(Database& database, const char* sql, int64_t from, int64_t to) {
  Query(database, sql).bind(from).bind(to).run();
}

int64_t purge_lane(Database& database, Lane& lane) {
  int64_t removed = 0;
  Query(database, "DELETE FROM messages WHERE key > ?1 AND key < ?2")
      .bind(key_of(lane.id, lane.taken))
      .bind(key_of(lane.id, kApart))
      .run();
  removed += database.changes();
  for (const char* state : {"DELETE FROM messages WHERE key IN (SELECT key FROM parked INDEXED BY "
                            "parked_ready WHERE state = 0 AND place BETWEEN ?1 AND ?2)",
                            "DELETE FROM parked INDEXED BY parked_ready "
                            "WHERE state = 0 AND place BETWEEN ?1 AND ?2"}) {
    run_for_range(database, state, first_key(lane.id), last_key(lane.id));
  }
  removed += database.changes();
  for (const char* state : {"DELETE FROM messages WHERE key IN (SELECT key FROM parked INDEXED BY "
                            "parked_due WHERE state = 1 AND lane BETWEEN ?1 AND ?2)",
                            "DELETE FROM parked INDEXED BY parked_due "
                            "WHERE state = 1 AND lane BETWEEN ?1 AND ?2"}) {
    run_for_range(database, state, lane.id, lane.id);
  }
  removed += database.changes();
  run_for_range(database, "DELETE FROM expiry WHERE lane BETWEEN ?1 AND ?2", lane.id, lane.id);
  if (removed != lane.ready() + lane.delayed) {
    throw contradiction(database, "a queue does not hold what it counts");
  }
  lane.taken = lane.next - 1;
  lane.fresh = lane.again = lane.delayed = 0;
  lane.dirty = true;
  return removed;
}

} // namespace

void create_queue(Database& database, std::string_view name, uint64_t max_length) {
  if (const auto found = find_queue(database, name)) {
    // A bound is a matter of the moment, not of what is stored: the latest word counts.
    if (max_length == 0 || max_length == found->max_length) return;
  }
  WriteTransaction transaction(database);
  const QueueRow queue = ensure_queue(database, name, max_length);
  if (max_length != 0 && max_length != queue.max_length) {
    Query(database, "UPDATE queues SET max_length = ?1 WHERE id = ?2")
        .bind(static_cast<int64_t>(max_length))
        .bind(queue.id)
        .run();
  }
  transaction.commit();
}

void delete_queue(Database& database, std::string_view name) {
  const Stoppable stoppable(database);
  WriteTransaction transaction(database);
  const auto queue = find_queue(database, name);
  if (!queue) return;
  const int64_t lane = first_lane(queue->id);
  const int64_t end = last_lane(queue->id);
  for (const char* sql : {"DELETE FROM messages WHERE key BETWEEN ?1 AND ?2",
                          "DELETE FROM parked WHERE key BETWEEN ?1 AND ?2"}) {
    run_for_range(database, sql, first_key(lane), last_key(end));
  }
  for (const char* sql : {"DELETE FROM expiry WHERE lane BETWEEN ?1 AND ?2",
                          "DELETE FROM claims WHERE lane BETWEEN ?1 AND ?2",
                          "DELETE FROM lanes WHERE lane BETWEEN ?1 AND ?2"}) {
    run_for_range(database, sql, lane, end);
  }
  Query(database, "DELETE FROM queues WHERE id = ?1").bind(queue->id).run();
  transaction.wake_later(name);
  transaction.commit();
}

uint64_t purge_queue(Database& database, std::string_view name) {
  const Stoppable stoppable(database);
  WriteTransaction transaction(database);
  const auto queue = find_queue(database, name);
  if (!queue) return 0;
  Lanes lanes(database);
  int64_t removed = 0;
  // What has expired is gone already, and not the purge's to count.
  const int64_t now_ms = backend::unix_now_ms();
  while (drop_expired(database, lanes, queue->id, now_ms, kMostAtOnce) > 0) {
  }
  for (Lane* lane : lanes.of_queue(queue->id)) removed += purge_lane(database, *lane);
  lanes.save();
  transaction.commit();
  return static_cast<uint64_t>(removed);
}

void read_queue_stats(Database& database, std::string_view name, swapmq_queue_stats& stats) {
  const int64_t now_ms = backend::unix_now_ms();
  const swapmq_queue_stats empty = stats;
  for (int round = 0;; ++round) {
    {
      const ReadTransaction transaction(database);
      if (add_up(database, name, now_ms, stats)) break;
    }
    stats = empty;
    if (round > 0 && database.deadline_passed()) {
      throw database.failure(SQLITE_INTERRUPT, "counting a queue");
    }
    catch_up(database, name, now_ms);
  }
  stats.ready_precision = SWAPMQ_STAT_EXACT;
  stats.unacked_precision = SWAPMQ_STAT_EXACT;
  stats.delayed_precision = SWAPMQ_STAT_EXACT;
  stats.atomic = 1;
}

std::vector<std::string> list_queues(Database& database) {
  Query query(database, "SELECT name FROM queues ORDER BY name");
  std::vector<std::string> names;
  while (query.step()) names.emplace_back(query.blob(0));
  return names;
}

} // namespace swapmq::sqlite
