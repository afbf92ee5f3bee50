// SPDX-License-Identifier: MIT
#include "peek.hpp"

#include "keys.hpp"
#include "lanes.hpp"

namespace swapmq::sqlite {
namespace {

/// Looks in the order in which a Claimer takes, which it has to follow.
class Peeker {
 public:
  Peeker(Database& database, const backend::PeekArgs& args)
      : database_(database),
        args_(args),
        now_ms_(backend::unix_now_ms()),
        batch_(std::make_unique<MessageBatch>()) {}

  std::unique_ptr<MessageBatch> run(int64_t queue) {
    Lanes lanes(database_);
    for (const Lane* lane : lanes.of_queue(queue)) {
      if (!done()) show_parked(*lane);
      if (!done()) show_fresh(*lane);
    }
    return std::move(batch_);
  }

 private:
  [[nodiscard]] bool done() const { return full_ || batch_->size() >= args_.max_messages; }

  /// What came back, and what was delayed and is due, if nobody has noted that yet.
  void show_parked(const Lane& lane) {
    Query query(database_,
                "SELECT p.counted, p.handed, m.key, m.id, m.sent_ms, m.expires_ms, m.extra, "
                "m.checksum, m.body FROM ("
                "SELECT key, place, counted, handed FROM parked INDEXED BY parked_ready "
                "WHERE state = 0 AND place BETWEEN ?1 AND ?2 UNION ALL "
                "SELECT key, place, counted, handed FROM parked INDEXED BY parked_due "
                "WHERE state = 1 AND lane = ?3 AND due_ms <= ?4) p "
                "JOIN messages m ON m.key = p.key ORDER BY p.place");
    query.bind(first_key(lane.id)).bind(last_key(lane.id)).bind(lane.id).bind(now_ms_);
    while (!done() && query.step()) {
      show(read_row(query, 2), query.integer(0), query.integer(1) != 0);
    }
  }

  void show_fresh(const Lane& lane) {
    Query query(database_,
                "SELECT key, id, sent_ms, expires_ms, extra, checksum, body FROM messages "
                "WHERE key > ?1 AND key < ?2 ORDER BY key");
    query.bind(key_of(lane.id, lane.taken)).bind(key_of(lane.id, kApart));
    while (!done() && query.step()) show(read_row(query, 0), 0, false);
  }

  void show(const MessageRow& row, int64_t counted, bool handed) {
    if (row.expires_ms != 0 && row.expires_ms <= now_ms_) return;
    const uint64_t bytes = batch_->body_bytes() + row.body.size();
    full_ = args_.max_bytes != 0 && batch_->size() > 0 && bytes > args_.max_bytes;
    if (full_) return;
    constexpr int64_t kNoClaim = 0; // the receipt is one that settles nothing
    if (!batch_->add(row, kNoClaim, counted, handed)) {
      throw contradiction(database_,
                          "message " + std::to_string(row.key) + " does not match its checksum");
    }
  }

  Database& database_;
  const backend::PeekArgs& args_;
  const int64_t now_ms_;
  std::unique_ptr<MessageBatch> batch_;
  bool full_ = false;
};

} // namespace

std::unique_ptr<MessageBatch> peek(Database& database, std::string_view queue,
                                   const backend::PeekArgs& args) {
  const Stoppable stoppable(database);
  const ReadTransaction at_one_moment(database);
  const auto found = find_queue(database, queue);
  return found ? Peeker(database, args).run(found->id) : nullptr;
}

} // namespace swapmq::sqlite
