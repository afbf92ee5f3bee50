// SPDX-License-Identifier: MIT
#include "claim_messages.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "claims.hpp"
#include "keys.hpp"
#include "message_writer.hpp"
#include "parked.hpp"

namespace swapmq::sqlite {
namespace {

// How many expired messages one transaction clears away before it lets others in.
constexpr int64_t kMostExpired = 10'000;

/// The columns from `first` on: key, id, sent_ms, expires_ms, extra, checksum, body.
MessageRow read_row(const Query& query, int first) {
  MessageRow row;
  row.key = query.integer(first);
  row.id = query.blob(first + 1);
  row.sent_ms = query.integer(first + 2);
  row.expires_ms = query.integer(first + 3);
  row.extra = query.blob(first + 4);
  row.checksum = query.integer(first + 5);
  row.body = query.blob(first + 6);
  return row;
}

class Claimer {
 public:
  Claimer(Database& database, Lanes& lanes, const ClaimRequest& request)
      : database_(database),
        lanes_(lanes),
        request_(request),
        now_ms_(backend::unix_now_ms()),
        batch_(std::make_unique<MessageBatch>()) {}

  Claimed run() {
    for (Lane* lane : lanes_.of_queue(request_.queue)) {
      if (done()) break;
      take_from(*lane);
    }
    return {std::move(batch_), stopped()};
  }

 private:
  struct Expired {
    int64_t key;
    int64_t expires_ms;
  };

  [[nodiscard]] int64_t wanted() const {
    return request_.max_messages - static_cast<int64_t>(batch_->size());
  }
  /// What stands behind so many expired messages keeps its place for the next transaction.
  [[nodiscard]] bool stopped() const { return found_expired_ >= kMostExpired; }
  [[nodiscard]] bool done() const { return bytes_full_ || stopped() || wanted() <= 0; }
  [[nodiscard]] bool has_room_for(const MessageRow& row) {
    if (request_.max_bytes == 0 || batch_->size() == 0) return true;
    bytes_full_ = batch_->body_bytes() + row.body.size() > request_.max_bytes;
    return !bytes_full_;
  }

  void take_from(Lane& lane) {
    if (lane.delayed > 0) promote_due(database_, lane, now_ms_, std::max<int64_t>(wanted(), 256));
    if (lane.ready() == 0) return;
    Claim claim;
    claim.id = first_claim(request_.consumer) + *request_.claim_count;
    claim.lane = lane.id;
    if (lane.again > 0) take_parked(lane, claim);
    if (lane.fresh > 0 && !done()) take_fresh(lane, claim);
    drop_expired_rows(lane);
    if (claim.held == 0) return;
    ++*request_.claim_count;
    lane.unacked += claim.held;
    lane.dirty = true;
    insert_claim(database_, claim);
  }

  /// Adds a row to the batch; false if it is not to be delivered any more.
  bool deliver(const MessageRow& row, Claim& claim, int64_t counted, bool handed) {
    if (row.expires_ms != 0 && row.expires_ms <= now_ms_) {
      expired_.push_back({row.key, row.expires_ms});
      ++found_expired_;
      return false;
    }
    if (!batch_->add(row, claim.id, counted, handed)) {
      throw contradiction(database_,
                          "message " + std::to_string(row.key) + " does not match its checksum");
    }
    if (row.expires_ms != 0) ending_.push_back({row.key, row.expires_ms});
    ++claim.held;
    return true;
  }

  void take_parked(Lane& lane, Claim& claim) {
    std::vector<Parked> taken;
    int64_t seen = 0;
    {
      Query query(database_,
                  "SELECT p.key, p.counted, p.handed, m.key, m.id, m.sent_ms, m.expires_ms, "
                  "m.extra, m.checksum, m.body FROM parked p INDEXED BY parked_ready "
                  "LEFT JOIN messages m ON m.key = p.key "
                  "WHERE p.state = 0 AND p.place BETWEEN ?1 AND ?2 ORDER BY p.place");
      query.bind(first_key(lane.id)).bind(last_key(lane.id));
      while (!done() && query.step()) {
        if (query.is_null(3)) throw contradiction(database_, "a parked message is missing");
        const MessageRow row = read_row(query, 3);
        if (!has_room_for(row)) break;
        ++seen;
        const int64_t counted = query.integer(1);
        const int64_t handed = query.integer(2);
        if (deliver(row, claim, counted, handed != 0)) {
          taken.push_back({row.key, kParkedHeld, 0, counted, 1, claim.id});
        }
      }
    }
    if (!done() && seen != lane.again) {
      throw contradiction(database_, "a queue lacks messages that came back");
    }
    for (const Parked& parked : taken) update_parked(database_, parked);
    for (const Expired& expired : expired_) delete_parked(database_, expired.key);
    lane.again -= seen;
    lane.dirty = true;
    drop_expired_rows(lane);
  }

  void take_fresh(Lane& lane, Claim& claim) {
    int64_t seen = 0;
    {
      Query query(database_,
                  "SELECT key, id, sent_ms, expires_ms, extra, checksum, body FROM messages "
                  "WHERE key > ?1 AND key < ?2 ORDER BY key");
      query.bind(key_of(lane.id, lane.taken)).bind(key_of(lane.id, kApart));
      while (!done() && query.step()) {
        const MessageRow row = read_row(query, 0);
        if (!has_room_for(row)) break;
        ++seen;
        lane.taken = sequence_of(row.key);
        if (!deliver(row, claim, 0, false)) continue;
        if (claim.first > claim.last) claim.first = row.key;
        claim.last = row.key;
      }
    }
    if (!done() && seen != lane.fresh) {
      throw contradiction(database_, "a queue lacks messages that it counts");
    }
    lane.fresh -= seen;
    lane.dirty = true;
  }

  /// What was found to have ended, and the ends of what is held now, which are nobody's business
  /// until it comes back.
  void drop_expired_rows(Lane& lane) {
    for (const Expired& expired : expired_) {
      Query(database_, "DELETE FROM messages WHERE key = ?1").bind(expired.key).run();
      forget_expiry(database_, expired.key, expired.expires_ms);
      lane.dirty = true;
    }
    for (const Expired& held : ending_) forget_expiry(database_, held.key, held.expires_ms);
    expired_.clear();
    ending_.clear();
  }

  Database& database_;
  Lanes& lanes_;
  const ClaimRequest& request_;
  const int64_t now_ms_;
  std::unique_ptr<MessageBatch> batch_;
  std::vector<Expired> expired_;
  std::vector<Expired> ending_;
  int64_t found_expired_ = 0;
  bool bytes_full_ = false;
};

} // namespace

Claimed claim_messages(Database& database, Lanes& lanes, const ClaimRequest& request) {
  return Claimer(database, lanes, request).run();
}

} // namespace swapmq::sqlite
