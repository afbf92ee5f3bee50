// SPDX-License-Identifier: MIT
//
// One queue: what it stores, who waits at it, and every operation on it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "aftermath.hpp"
#include "budget.hpp"
#include "entry.hpp"
#include "entry_heap.hpp"
#include "ready_line.hpp"
#include "swapmq/backend_locks.hpp"
#include "unsettled.hpp"
#include "waiting_room.hpp"

namespace swapmq::memory {

/// How a queue is to be made.
struct QueueSpec {
  uint64_t max_length = 0; // messages; 0: no limit of its own
  bool strict_order = false;
};

struct QueueSizes {
  bool exists = false;
  uint64_t ready = 0;
  uint64_t unacked = 0;
  uint64_t delayed = 0;
};

/// Deliveries, with a share of each entry they show.
class MemoryBatch final : public backend::Batch {
 public:
  void reserve(std::size_t count);
  void add(const EntryPtr& entry, const Receipt& receipt, uint32_t delivery_count, uint32_t flags);
  /// For those that are shown with another due time than they were published with.
  void reserve_claimed(std::size_t count);
  void add_claimed(const EntryPtr& entry, const Receipt& receipt, uint32_t delivery_count,
                   uint32_t flags);

 private:
  std::vector<EntryPtr> entries_;
  std::vector<swapmq_message> claimed_; // never grows beyond what was reserved: it is pointed at
};

/// A subscription's side of a queue. Belongs to the session's thread alone.
struct Consumer {
  explicit Consumer(uint32_t prefetch_limit);

  uint32_t prefetch;
  Unsettled held;
  std::size_t claimed = 0;  // of what is held, how many were claimed before their time
  uint64_t incarnation = 0; // of the queue, to which what is held belongs

  /// What it holds of the queue's line, which is what strict order is about.
  [[nodiscard]] std::size_t holding() const { return held.size() - claimed; }
  /// How many more it may hold.
  [[nodiscard]] std::size_t room() const {
    return held.size() < prefetch ? prefetch - held.size() : 0;
  }
};

/// Safe from any thread; a consumer is used by one thread at a time.
///
/// A queue's object outlives its existence for users: deleting it empties it, raises the
/// incarnation, and whoever waits goes on waiting for a publisher to make it again.
///
/// Invariant: there is room reserved for everything that is unacked to come back, ready or delayed,
/// so giving back never fails.
class Queue {
 public:
  Queue(std::string name, uint64_t max_messages, Budget& budget);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] bool exists() SWAPMQ_EXCLUDES(mutex_);

  /// Throws CONFLICT if it exists with another limit.
  void create(const QueueSpec& spec) SWAPMQ_EXCLUDES(mutex_);
  void ensure_exists(const QueueSpec& spec) SWAPMQ_EXCLUDES(mutex_);
  void remove(Aftermath& aftermath) SWAPMQ_EXCLUDES(mutex_);
  QueueSizes sizes(int64_t now_ms, Aftermath& aftermath) SWAPMQ_EXCLUDES(mutex_);
  uint64_t purge(int64_t now_ms, Aftermath& aftermath) SWAPMQ_EXCLUDES(mutex_);
  /// Drops what expired.
  void sweep(int64_t now_ms, Aftermath& aftermath) SWAPMQ_EXCLUDES(mutex_);

  /// Stores the entries in order and says so in their results; nulls are passed over, their results
  /// stand already. After the first that finds the queue full, the rest fails with it, so that a
  /// retry keeps the order.
  void publish(const QueueSpec& spec, std::span<EntryPtr> entries, backend::PublishResults results,
               Grant& grant, int64_t now_ms, Aftermath& aftermath) SWAPMQ_EXCLUDES(mutex_);

  /// Moves one held message to `target` in one step.
  swapmq_status dead_letter(Consumer& consumer, const swapmq_settlement& settlement, Queue& target,
                            const QueueSpec& target_spec, int64_t now_ms, Aftermath& aftermath)
      SWAPMQ_EXCLUDES(mutex_);

  /// Settles, dead letters apart, which were moved before. Then receives as the arguments say.
  backend::Received exchange(Consumer& consumer, const backend::ExchangeArgs& args,
                             const std::shared_ptr<Parker>& parker, Aftermath& aftermath)
      SWAPMQ_EXCLUDES(mutex_);

  /// Hands out what waits for its time, earliest due first; null if nothing does.
  std::unique_ptr<backend::Batch> claim_delayed(Consumer& consumer, const backend::ClaimArgs& args,
                                                Aftermath& aftermath) SWAPMQ_EXCLUDES(mutex_);

  /// Shows what is ready, in order, and takes none; null if nothing is.
  std::unique_ptr<backend::Batch> peek(const backend::PeekArgs& args, Aftermath& aftermath)
      SWAPMQ_EXCLUDES(mutex_);

  /// Gives back what the consumer holds, as released.
  void give_back(Consumer& consumer, int64_t now_ms, Aftermath& aftermath) SWAPMQ_EXCLUDES(mutex_);

 private:
  struct DueBefore {
    bool operator()(const Entry& a, const Entry& b) const {
      return a.place.due_at_ms != b.place.due_at_ms ? a.place.due_at_ms < b.place.due_at_ms
                                                    : a.place.sequence < b.place.sequence;
    }
  };
  struct ExpiresBefore {
    bool operator()(const Entry& a, const Entry& b) const {
      return a.message().expires_at_ms < b.message().expires_at_ms;
    }
  };
  /// What is stored and not with a consumer.
  struct Contents {
    ReadyLine ready;
    EntryHeap<EntryPtr, DueBefore, &Entry::Place::position> delayed;
    EntryHeap<Entry*, ExpiresBefore, &Entry::Place::expiry_position> expiring;
  };

  void make(const QueueSpec& spec) SWAPMQ_REQUIRES(mutex_);
  [[nodiscard]] bool full() const SWAPMQ_REQUIRES(mutex_);
  [[nodiscard]] std::optional<int64_t> next_due() const SWAPMQ_REQUIRES(mutex_);
  void ensure_room(Contents& contents, std::size_t more) const SWAPMQ_REQUIRES(mutex_);

  /// Lets time pass: drops what expired, makes ready what is due.
  void advance(int64_t now_ms, Aftermath& aftermath) SWAPMQ_REQUIRES(mutex_);
  /// Calls whoever is needed for what is ready, and for what will be.
  void call_waiters(Aftermath& aftermath) SWAPMQ_REQUIRES(mutex_);

  /// Stores a new entry at the end. If it throws, nothing has changed and the entry is the
  /// caller's.
  void admit(EntryPtr&& entry, int64_t now_ms) SWAPMQ_REQUIRES(mutex_);
  void put_back(EntryPtr entry, int64_t due_at_ms, int64_t now_ms, Aftermath& aftermath) noexcept
      SWAPMQ_REQUIRES(mutex_);
  /// Not counted; one that was claimed before its time waits for it again.
  void release(EntryPtr entry, int64_t now_ms, Aftermath& aftermath) noexcept
      SWAPMQ_REQUIRES(mutex_);
  /// Ends the bookkeeping of an entry that leaves this queue for good; its bytes stay reserved.
  void strike_out(const Entry& entry) noexcept SWAPMQ_REQUIRES(mutex_);
  void drop(EntryPtr entry, Aftermath& aftermath) noexcept SWAPMQ_REQUIRES(mutex_);
  /// Books an entry that the consumer held as held no more.
  void no_longer_unacked(Consumer& consumer, const Entry& entry) noexcept SWAPMQ_REQUIRES(mutex_);

  /// Lets go of what a consumer holds of a deleted incarnation.
  void reconcile(Consumer& consumer, Aftermath& aftermath) SWAPMQ_REQUIRES(mutex_);
  void settle_all(Consumer& consumer, backend::Settlements settlements, swapmq_status* results,
                  int64_t now_ms, Aftermath& aftermath) SWAPMQ_REQUIRES(mutex_);
  swapmq_status settle_one(Consumer& consumer, const swapmq_settlement& settlement, int64_t now_ms,
                           Aftermath& aftermath) noexcept SWAPMQ_REQUIRES(mutex_);

  swapmq_status move_to(Queue& target, const QueueSpec& target_spec, Consumer& consumer,
                        const Receipt& receipt, EntryPtr&& letter, int64_t now_ms,
                        Aftermath& aftermath) SWAPMQ_REQUIRES(mutex_, target.mutex_);
  swapmq_status replace(Consumer& consumer, const Receipt& receipt, EntryPtr&& letter,
                        int64_t now_ms, Aftermath& aftermath) SWAPMQ_REQUIRES(mutex_);
  /// Takes a held entry out for good; of its bytes, those of the letter stay reserved.
  void take_out(Consumer& consumer, const Receipt& receipt, uint64_t letter_weight,
                Aftermath& aftermath) noexcept SWAPMQ_REQUIRES(mutex_);

  [[nodiscard]] bool may_take(std::size_t holding) const SWAPMQ_REQUIRES(mutex_);
  /// Null if there is nothing for it.
  std::unique_ptr<MemoryBatch> take(Consumer& consumer, std::size_t want, uint64_t max_bytes)
      SWAPMQ_REQUIRES(mutex_);
  void hand_out(Consumer& consumer, MemoryBatch& batch) noexcept SWAPMQ_REQUIRES(mutex_);
  std::unique_ptr<MemoryBatch> take_delayed(Consumer& consumer, std::size_t want,
                                            uint64_t max_bytes) SWAPMQ_REQUIRES(mutex_);
  void hand_out_claimed(Consumer& consumer, MemoryBatch& batch) noexcept SWAPMQ_REQUIRES(mutex_);
  /// Books an entry as held from now on.
  Receipt now_unacked(Consumer& consumer, const EntryPtr& entry) noexcept SWAPMQ_REQUIRES(mutex_);
  backend::Received receive(Consumer& consumer, const backend::ExchangeArgs& args, Waiter& waiter,
                            Aftermath& aftermath) SWAPMQ_REQUIRES(mutex_);
  /// Sleeps without the lock until there may be something for the waiter, or the deadline.
  void sleep(Waiter& waiter, backend::Deadline deadline, Aftermath& aftermath)
      SWAPMQ_REQUIRES(mutex_);

  const std::string name_;
  const uint64_t max_messages_;
  Budget& budget_;

  backend::Mutex mutex_;
  bool exists_ SWAPMQ_GUARDED_BY(mutex_) = false;
  QueueSpec spec_ SWAPMQ_GUARDED_BY(mutex_);
  uint64_t incarnation_ SWAPMQ_GUARDED_BY(mutex_) = 1;
  uint64_t next_sequence_ SWAPMQ_GUARDED_BY(mutex_) = 0;
  Contents contents_ SWAPMQ_GUARDED_BY(mutex_);
  std::size_t unacked_ SWAPMQ_GUARDED_BY(mutex_) = 0;
  std::size_t claimed_ SWAPMQ_GUARDED_BY(mutex_) = 0;  // of the unacked, those before their time
  std::size_t with_ttl_ SWAPMQ_GUARDED_BY(mutex_) = 0; // unacked ones included
  uint64_t bytes_ SWAPMQ_GUARDED_BY(mutex_) = 0;       // of all entries, unacked ones included
  uint64_t unacked_bytes_ SWAPMQ_GUARDED_BY(mutex_) = 0;
  WaitingRoom waiters_ SWAPMQ_GUARDED_BY(mutex_);
};

} // namespace swapmq::memory
