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

  Claimed run_delayed() {
    std::vector<Waiting> found;
    do {
      found = find_delayed();
      for (const Waiting& waiting : found) {
        if (done() || !take_delayed(waiting)) break;
      }
      clear_away();
    } while (!done() && !found.empty());
    for (const Claim& claim : claims_) {
      if (claim.held > 0) insert_claim(database_, claim);
    }
    return {std::move(batch_), stopped()};
  }

 private:
  struct Waiting {
    int64_t due_ms;
    int64_t key;
    int64_t counted;
    int64_t handed;
  };
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

  /// The first of each lane, together in the order of their times.
  std::vector<Waiting> find_delayed() {
    std::vector<Waiting> found;
    for (const Lane* lane : lanes_.of_queue(request_.queue)) {
      if (lane->delayed == 0) continue;
      Query query(database_,
                  "SELECT due_ms, key, counted, handed FROM parked INDEXED BY parked_due "
                  "WHERE state = 1 AND lane = ?1 AND due_ms > ?2 ORDER BY due_ms LIMIT ?3");
      query.bind(lane->id).bind(now_ms_).bind(wanted());
      while (query.step()) {
        found.push_back({query.integer(0), query.integer(1), query.integer(2), query.integer(3)});
      }
    }
    std::stable_sort(found.begin(), found.end(),
                     [](const Waiting& a, const Waiting& b) { return a.due_ms < b.due_ms; });
    return found;
  }

  /// False if it does not fit any more.
  bool take_delayed(const Waiting& waiting) {
    Lane& lane = lanes_.at(lane_of_key(waiting.key));
    Query query(database_,
                "SELECT key, id, sent_ms, expires_ms, extra, checksum, body FROM messages "
                "WHERE key = ?1");
    query.bind(waiting.key);
    if (!query.step()) throw contradiction(database_, "a delayed message is missing");
    const MessageRow row = read_row(query, 0);
    if (!has_room_for(row)) return false;
    Claim& claim = claim_of(lane.id);
    if (deliver(row, claim, waiting.counted, waiting.handed != 0, waiting.due_ms)) {
      update_parked(database_, {row.key, kParkedHeld, waiting.due_ms, waiting.counted,
                                waiting.handed, claim.id});
      ++lane.unacked;
    } else {
      delete_parked(database_, row.key);
    }
    --lane.delayed;
    lane.dirty = true;
    return true;
  }

  /// What run_delayed() met that had expired, and the ends of what is held now.
  void clear_away() {
    for (const Expired& expired : expired_) remove_expired(expired);
    for (const Expired& held : ending_) forget_expiry(database_, held.key, held.expires_ms);
    expired_.clear();
    ending_.clear();
  }
  void remove_expired(const Expired& expired) {
    Query(database_, "DELETE FROM messages WHERE key = ?1").bind(expired.key).run();
    forget_expiry(database_, expired.key, expired.expires_ms);
  }

  Claim& claim_of(int64_t lane) {
    for (Claim& claim : claims_) {
      if (claim.lane == lane) return claim;
    }
    Claim& claim = claims_.emplace_back();
    claim.id = first_claim(request_.consumer) + (*request_.claim_count)++;
    claim.lane = lane;
    return claim;
  }

  /// Adds a row to the batch; false if it is not to be delivered any more.
  bool deliver(const MessageRow& row, Claim& claim, int64_t counted, bool handed,
               int64_t due_ms = 0) {
    if (row.expires_ms != 0 && row.expires_ms <= now_ms_) {
      expired_.push_back({row.key, row.expires_ms});
      ++found_expired_;
      return false;
    }
    if (!batch_->add(row, claim.id, counted, handed, due_ms)) {
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
    if (!expired_.empty()) lane.dirty = true;
    clear_away();
  }

  Database& database_;
  Lanes& lanes_;
  const ClaimRequest& request_;
  const int64_t now_ms_;
  std::unique_ptr<MessageBatch> batch_;
  std::vector<Expired> expired_;
  std::vector<Expired> ending_;
  std::vector<Claim> claims_; // of run_delayed(): one a lane
  int64_t found_expired_ = 0;
  bool bytes_full_ = false;
};

} // namespace

Claimed claim_messages(Database& database, Lanes& lanes, const ClaimRequest& request) {
  return Claimer(database, lanes, request).run();
}

Claimed claim_delayed_messages(Database& database, Lanes& lanes, const ClaimRequest& request) {
  return Claimer(database, lanes, request).run_delayed();
}

} // namespace swapmq::sqlite
