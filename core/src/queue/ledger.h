// SPDX-License-Identifier: MIT
//
// The books of one line of consuming: which deliveries are buffered, handed out, being settled,
// done or lost. It knows no broker; a Lane carries its decisions there. Handles of deliveries keep
// it alive, so it may outlive lane, consumer and message queue.
//
// Invariants: a delivery is in exactly one of buffer, handed-out list, pending, told, in exchange,
// or ended (settled or lost), and counts as outstanding until it ended. Outstanding, without what
// the broker was told, never exceeds prefetch by more than one exchange brought. Stages only go
// forward: open, settling, then settled or lost.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "metrics/metrics.h"
#include "plugin/session.h"
#include "queue/bell.h"
#include "swapmq/swapmq.hpp"
#include "thread_safety.h"

namespace swapmq::queue {
using plugin::Deadline;
class Ledger;
class DeliveryBatch;
} // namespace swapmq::queue

namespace swapmq::detail {

class DeliveryState {
 public:
  enum class Stage : std::uint8_t { open, settling, settled, lost };

  [[nodiscard]] const swapmq_message& message() const { return *delivery->message; }
  /// Another handle for the user.
  static Delivery handle(DeliveryState& state);
  /// What a handle that is not empty stands for.
  static DeliveryState& of(const Delivery& handle) { return *handle.state_; }
  void add_handle();
  void drop_handle();

  const swapmq_delivery* delivery = nullptr;
  queue::DeliveryBatch* batch = nullptr;
  std::atomic<std::uint32_t> handles{0};

  // The ledger's, under its lock.
  std::atomic<Stage> stage{Stage::open}; ///< read without it to see that it is no longer open
  Error verdict;                         // of the settlement, once settled or lost
  queue::Deadline handed_out_at{};
  DeliveryState* previous = nullptr; // in the handed-out list, oldest first
  DeliveryState* next = nullptr;
  bool listed = false;
  bool timed_out = false; ///< ack_timeout decided, not the holder
};

} // namespace swapmq::detail

namespace swapmq::queue {

using detail::DeliveryState;

/// A plugin's batch with the state of its deliveries. Deletes itself when nobody needs it any more:
/// each outstanding delivery and each delivery with handles holds a reference.
class DeliveryBatch {
 public:
  DeliveryBatch(std::shared_ptr<Ledger> ledger, plugin::BatchPtr batch);
  void add_reference() { references_.fetch_add(1, std::memory_order_relaxed); }
  void drop_reference() {
    if (references_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
  }
  [[nodiscard]] Ledger& ledger() const { return *ledger_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  DeliveryState& operator[](std::size_t i) { return states_[i]; }

 private:
  ~DeliveryBatch() = default;
  std::atomic<std::uint32_t> references_;
  std::shared_ptr<Ledger> ledger_;
  plugin::BatchPtr batch_;
  std::size_t size_;
  std::unique_ptr<DeliveryState[]> states_;
};

/// A settlement that somebody decided and the broker has not confirmed yet.
struct Pending {
  DeliveryState* delivery = nullptr;
  std::int32_t action = SWAPMQ_SETTLE_ACK;
  std::int64_t due_at_ms = 0; ///< unix, of a nack
  std::string reason;         ///< of a nack or a dead letter
  Deadline decided{};
  Deadline not_before{}; ///< tried before, and not again until then
  bool copied = false;   ///< to the dead-letter queue: what remains is the ack
};

class Ledger : public std::enable_shared_from_this<Ledger> {
 public:
  /// The bell rings when something came that can be taken, and at the end.
  Ledger(std::string queue, const ConsumeOptions& options, std::chrono::milliseconds retry_delay,
         std::uint32_t max_deliveries, metrics::QueueMetrics& metrics, std::shared_ptr<Bell> bell);

  // -- for handles of deliveries: any thread
  Settling settle(DeliveryState& delivery, std::int32_t action,
                  std::optional<std::chrono::milliseconds> delay, std::string_view reason,
                  Deadline now) SWAPMQ_EXCLUDES(mutex_);
  Settling extend(DeliveryState& delivery) SWAPMQ_EXCLUDES(mutex_);
  Error wait_settled(DeliveryState& delivery, Deadline deadline) SWAPMQ_EXCLUDES(mutex_);
  using Told = std::function<void(Error)>;
  /// Calls `told` with what wait_settled() would give, once that is known, without our locks.
  void when_settled(DeliveryState& delivery, Told told) SWAPMQ_EXCLUDES(mutex_);
  void abandoned(DeliveryState& delivery) SWAPMQ_EXCLUDES(mutex_); ///< its last handle is gone
  [[nodiscard]] const std::string& queue() const { return queue_; }

  // -- for handlers and receivers: any thread
  /// The next buffered delivery, handed out; none: there is none, or it drains. `now` is the time
  /// that it counts as handed out from: whoever takes many reads the clock once.
  std::optional<Delivery> take(Deadline now) SWAPMQ_EXCLUDES(mutex_);
  /// So many may be buffered from now on; what is beyond that goes back.
  void ask(std::size_t count) SWAPMQ_EXCLUDES(mutex_);

  // -- for the lane that serves this ledger
  enum class Next {
    exchange,
    serve, ///< there is nothing to do, and half a second passed
    end,   ///< shut, or draining and nothing is outstanding
  };
  /// Waits for something to do, at most half a second.
  Next wait_for_work() SWAPMQ_EXCLUDES(mutex_);
  struct Work {
    std::vector<Pending> settlements; ///< in the exchange from now on
    std::size_t credit = 0;           ///< how many deliveries may come
  };
  /// What there is to settle now and the credit then. Only for who holds the session: when it ends,
  /// everything that belongs to it must be found here, and nothing in somebody's hands.
  Work take_work() SWAPMQ_EXCLUDES(mutex_);
  /// For a handler on the lane's thread: the next delivery as take(), or that so much was
  /// settled since the last exchange that it should pause for one. Not twice without a delivery
  /// between (handled: there was one): what is held back would have it pause for ever.
  struct Step {
    bool flush = false;
    std::optional<Delivery> delivery{};
  };
  Step next_step(bool handled, Deadline last_exchange, Deadline now) SWAPMQ_EXCLUDES(mutex_);
  /// While set, decisions interrupt that session. Returns whether there already is a reason not to
  /// wait.
  bool enter_exchange(plugin::Session* session) SWAPMQ_EXCLUDES(mutex_);
  void leave_exchange() SWAPMQ_EXCLUDES(mutex_);
  /// How many deliveries may come with so many settlements.
  [[nodiscard]] std::size_t credit(std::size_t settling) SWAPMQ_EXCLUDES(mutex_);
  void received(plugin::BatchPtr batch) SWAPMQ_EXCLUDES(mutex_);
  /// Handles of what was only looked at: nobody's to settle. No book is kept of them.
  std::vector<Delivery> show(plugin::BatchPtr batch);
  /// Takes the broker's word over: OK and LOST end a delivery, the others are skipped.
  void ended(std::span<const Pending> settlements, std::span<const swapmq_status> statuses)
      SWAPMQ_EXCLUDES(mutex_);
  /// Gives settlements back to be tried again, not before the pause.
  void put_back(std::vector<Pending> settlements, std::chrono::milliseconds pause)
      SWAPMQ_EXCLUDES(mutex_);
  /// What the broker was told and has not answered goes with the next exchange again.
  void told(std::vector<Pending> settlements) SWAPMQ_EXCLUDES(mutex_);
  /// The session is gone: whatever is outstanding (but for what is in the exchange) is lost.
  void lose_all(const Error& why) SWAPMQ_EXCLUDES(mutex_);
  /// Waits out a pause of the lane, unless nothing is left to do; false: shut meanwhile.
  bool pause(Deadline until) SWAPMQ_EXCLUDES(mutex_);

  // -- for whoever closes or keeps
  void drain() SWAPMQ_EXCLUDES(mutex_); ///< no more handing out; what is buffered is released
  bool wait_drained(Deadline deadline) SWAPMQ_EXCLUDES(mutex_);
  void shut() SWAPMQ_EXCLUDES(mutex_); ///< the lane ends; then everything is lost
  /// From time to time: nacks what ack_timeout ran out on, wakes the lane for what is due again.
  void tick() SWAPMQ_EXCLUDES(mutex_);
  /// How often and after what pause from now on.
  void set_retries(std::chrono::milliseconds retry_delay, std::uint32_t max_deliveries) {
    retry_delay_ = retry_delay;
    max_deliveries_ = max_deliveries;
  }
  [[nodiscard]] std::size_t handed_out() SWAPMQ_EXCLUDES(mutex_);
  [[nodiscard]] std::size_t outstanding() SWAPMQ_EXCLUDES(mutex_); ///< came, and have not ended
  [[nodiscard]] bool draining() SWAPMQ_EXCLUDES(mutex_);

 private:
  void list(DeliveryState& delivery, Deadline now) SWAPMQ_REQUIRES(mutex_);
  void unlist(DeliveryState& delivery) SWAPMQ_REQUIRES(mutex_);
  void decide(DeliveryState& delivery, std::int32_t action, std::int64_t due_at_ms,
              std::string_view reason, Deadline now) SWAPMQ_REQUIRES(mutex_);
  void wake_lane() SWAPMQ_REQUIRES(mutex_);
  void end(DeliveryState& delivery, DeliveryState::Stage stage) SWAPMQ_REQUIRES(mutex_);
  void lose(DeliveryState& delivery, const Error& why) SWAPMQ_REQUIRES(mutex_);
  [[nodiscard]] bool any_due(Deadline now) const SWAPMQ_REQUIRES(mutex_);
  void count(std::int32_t action) const;
  std::vector<Pending> due(Deadline now) SWAPMQ_REQUIRES(mutex_);
  [[nodiscard]] std::size_t credit_after(std::size_t settled) const SWAPMQ_REQUIRES(mutex_);
  void give_back_what_nobody_asked_for() SWAPMQ_REQUIRES(mutex_);
  std::optional<Delivery> hand_out(Deadline now) SWAPMQ_REQUIRES(mutex_);
  static Error not_ours(); ///< any more
  /// What the broker said of a settlement that it has answered.
  [[nodiscard]] static Error word_on(const DeliveryState& delivery);
  using Telling = std::vector<std::pair<Told, Error>>;
  /// Those who are to be told of what ended.
  Telling to_tell() SWAPMQ_REQUIRES(mutex_);
  static void tell(const Telling& all);

  const std::string queue_;
  const std::uint32_t prefetch_;
  const std::chrono::milliseconds ack_timeout_;
  std::atomic<std::chrono::milliseconds> retry_delay_;
  std::atomic<std::uint32_t> max_deliveries_; ///< 0: unlimited
  metrics::QueueMetrics& metrics_;
  const std::shared_ptr<Bell> bell_;

  Mutex mutex_;
  Condition to_lane_, to_waiters_;
  std::deque<DeliveryState*> buffer_ SWAPMQ_GUARDED_BY(mutex_);
  std::size_t asked_ SWAPMQ_GUARDED_BY(mutex_); // the most that is taken into the buffer
  DeliveryState* oldest_ SWAPMQ_GUARDED_BY(mutex_) = nullptr;
  DeliveryState* newest_ SWAPMQ_GUARDED_BY(mutex_) = nullptr;
  std::size_t listed_ SWAPMQ_GUARDED_BY(mutex_) = 0;
  std::vector<Pending> pending_ SWAPMQ_GUARDED_BY(mutex_);
  std::vector<Pending> told_ SWAPMQ_GUARDED_BY(mutex_); // what the broker has not answered yet
  std::size_t outstanding_ SWAPMQ_GUARDED_BY(mutex_) = 0;
  std::size_t settle_waiters_ SWAPMQ_GUARDED_BY(mutex_) = 0; // those who are to be told as well
  std::unordered_multimap<const DeliveryState*, Told> listeners_ SWAPMQ_GUARDED_BY(mutex_);
  Telling to_tell_ SWAPMQ_GUARDED_BY(mutex_); // as soon as the lock is free
  plugin::Session* in_exchange_ SWAPMQ_GUARDED_BY(mutex_) = nullptr;
  bool interrupted_ SWAPMQ_GUARDED_BY(mutex_) = false;
  bool draining_ SWAPMQ_GUARDED_BY(mutex_) = false;
  bool shut_ SWAPMQ_GUARDED_BY(mutex_) = false;
};

} // namespace swapmq::queue
