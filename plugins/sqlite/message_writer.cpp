// SPDX-License-Identifier: MIT
#include "message_writer.hpp"

#include <limits>
#include <vector>

#include "keys.hpp"
#include "parked.hpp"
#include "record.hpp"

namespace swapmq::sqlite {

using backend::Failure;

void MessageWriter::add(int64_t queue, const swapmq_message& message, int64_t now_ms) {
  Lane& lane = lanes_.at(lane_of(queue, message.priority));
  // An empty lane begins again, so that sequences last for ever in all but name. Receipts of the
  // past name claims that are gone.
  if (lane.all() == 0) {
    lane.next = 1;
    lane.taken = 0;
  }
  if (lane.next > kLastSequence) {
    throw Failure(SWAPMQ_RESOURCE_EXHAUSTED,
                  database_.file().path() +
                      ": a queue has used up its 4e12 sequence numbers; let "
                      "it run empty once");
  }
  const bool delayed = message.due_at_ms > now_ms;
  const int64_t key = key_of(lane.id, lane.next) | (delayed ? kApart : 0);
  extra_.clear();
  encode_extra(message, extra_);
  const std::string_view id = backend::view(message.id);
  const std::string_view body = backend::view(message.body);
  insert_.bind(key).bind(id).bind(message.timestamp_ms);
  message.expires_at_ms != 0 ? insert_.bind(message.expires_at_ms) : insert_.bind_null();
  extra_.empty() ? insert_.bind_null() : insert_.bind(extra_);
  insert_
      .bind(
          int64_t{checksum_of(key, id, message.timestamp_ms, message.expires_at_ms, extra_, body)})
      .bind(body)
      .run();
  if (message.expires_at_ms != 0) note_expiry(database_, key, message.expires_at_ms);
  if (delayed) {
    insert_parked(database_, {key, kParkedDelayed, message.due_at_ms, 0, 0, 0});
    ++lane.delayed;
  } else {
    ++lane.fresh;
  }
  ++lane.next;
  lane.dirty = true;
}

void note_expiry(Database& database, int64_t key, int64_t expires_ms) {
  Query(database, "INSERT INTO expiry(lane, expires_ms, key) VALUES(?1, ?2, ?3)")
      .bind(lane_of_key(key))
      .bind(expires_ms)
      .bind(key)
      .run();
}

void forget_expiry(Database& database, int64_t key, int64_t expires_ms) {
  Query(database, "DELETE FROM expiry WHERE lane = ?1 AND expires_ms = ?2 AND key = ?3")
      .bind(lane_of_key(key))
      .bind(expires_ms)
      .bind(key)
      .run();
}

int64_t drop_expired(Database& database, Lanes& lanes, int64_t queue, int64_t now_ms,
                     int64_t most) {
  struct Expired {
    int64_t key;
    int64_t expires_ms;
  };
  std::vector<Expired> found;
  for (const Lane* lane : lanes.of_queue(queue)) {
    Query query(database,
                "SELECT key, expires_ms FROM expiry WHERE lane = ?1 AND expires_ms <= ?2 "
                "ORDER BY expires_ms LIMIT ?3");
    query.bind(lane->id).bind(now_ms).bind(most - static_cast<int64_t>(found.size()));
    while (query.step()) found.push_back({query.integer(0), query.integer(1)});
  }
  for (const Expired& expired : found) {
    Lane& lane = lanes.at(lane_of_key(expired.key));
    Parked parked;
    if (find_parked(database, expired.key, parked)) {
      --(parked.state == kParkedDelayed ? lane.delayed : lane.again);
      delete_parked(database, expired.key);
    } else {
      --lane.fresh;
    }
    lane.dirty = true;
    forget_expiry(database, expired.key, expired.expires_ms);
    Query(database, "DELETE FROM messages WHERE key = ?1").bind(expired.key).run();
  }
  return static_cast<int64_t>(found.size());
}

uint64_t room_in(Database& database, Lanes& lanes, const QueueRow& queue, uint64_t max_messages,
                 uint64_t wanted) {
  uint64_t bound = queue.max_length;
  if (max_messages != 0 && (bound == 0 || max_messages < bound)) bound = max_messages;
  if (bound == 0) return std::numeric_limits<uint64_t>::max();
  const auto room = [&] {
    uint64_t stored = 0;
    for (const Lane* lane : lanes.of_queue(queue.id)) stored += static_cast<uint64_t>(lane->all());
    return stored < bound ? bound - stored : 0;
  };
  if (room() < wanted) {
    drop_expired(database, lanes, queue.id, backend::unix_now_ms(),
                 static_cast<int64_t>(wanted) + 1024);
  }
  return room();
}

} // namespace swapmq::sqlite
