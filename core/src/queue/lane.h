// SPDX-License-Identifier: MIT
//
// One session that consumes, the threads that serve it, and the ledger between them. The lane's
// thread exchanges with the broker; handlers run on it (one handler) or on workers of their own, so
// that a slow handler never keeps the session from being served: the keeper does so meanwhile.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "metrics/metrics.h"
#include "plugin/session.h"
#include "queue/backoff.h"
#include "queue/bell.h"
#include "queue/dead_letter.h"
#include "queue/handler_slots.h"
#include "queue/ledger.h"
#include "queue/log.h"
#include "queue/side.h"
#include "swapmq/tracing.hpp"
#include "thread_safety.h"

namespace swapmq::queue {

/// What a reload may change while a lane lives.
struct LanePolicy {
  SettlePolicy settle;
  swapmq_queue_spec dead_letter_spec{};
  std::chrono::milliseconds retry_delay{};

  /// 0: unlimited. A dead letter stays where it is, however often it comes.
  [[nodiscard]] std::uint32_t max_deliveries() const {
    return settle.dead_letter_queue.empty() ? 0 : settle.max_deliveries;
  }
};

struct LaneSetup {
  std::shared_ptr<Side> side; ///< where it consumes
  std::shared_ptr<Log> log;
  metrics::QueueMetrics* queue_metrics = nullptr;
  std::string queue;
  std::shared_ptr<const LanePolicy> policy; ///< to begin with
  swapmq_queue_spec spec{};
  ConsumeOptions options;
  std::chrono::milliseconds connection_timeout{};
  std::shared_ptr<Tracer> tracer{};    ///< may be null
  Handler handler;                     ///< empty: deliveries are pulled
  std::shared_ptr<HandlerSlots> slots; ///< with a handler: of all lanes of the consumer
  std::shared_ptr<Bell> bell;          ///< rings when there is something to pull or to handle
};

class Lane {
 public:
  explicit Lane(LaneSetup setup);
  /// Joins its threads: waits for handlers that still run.
  ~Lane();
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  [[nodiscard]] Ledger& ledger() { return *ledger_; }
  [[nodiscard]] const Side& side() const { return *setup_.side; }
  /// It drained, and all that came is settled: to destroy it waits for no handler.
  [[nodiscard]] bool drained() const { return ledger_->outstanding() == 0 && running_ == 0; }
  /// Of settlements from now on.
  void set_policy(std::shared_ptr<const LanePolicy> policy) SWAPMQ_EXCLUDES(policy_mutex_);
  /// It was to begin to drain.
  [[nodiscard]] bool closing() const { return ledger_->draining(); }
  /// Begins to drain; close() waits.
  void begin_close() { ledger_->drain(); }
  Error close(Deadline deadline) SWAPMQ_EXCLUDES(session_mutex_);
  /// From time to time: ack timeouts.
  void tick() { ledger_->tick(); }
  /// From time to time: leases, heartbeats, settlements while a handler is busy. Takes as long as
  /// the broker needs to answer.
  void serve() SWAPMQ_EXCLUDES(session_mutex_);
  [[nodiscard]] Error last_error() const SWAPMQ_EXCLUDES(error_mutex_);

 private:
  enum class Wait { yes, no };

  void run();
  void work();
  bool work_once();
  void run_handlers();
  bool run_turn();
  /// Runs the handler and does what it decided; returns when the handler ended.
  Deadline handle(const Delivery& delivery, Deadline started);
  bool subscribe() SWAPMQ_EXCLUDES(session_mutex_);
  Error try_subscribe() SWAPMQ_REQUIRES(session_mutex_);
  /// From now on followed_ is the policy of now; the error is that of opening its dead-letter
  /// queue.
  Error follow_policy() SWAPMQ_REQUIRES(session_mutex_) SWAPMQ_EXCLUDES(policy_mutex_);
  /// false: it failed, and a pause is due.
  bool exchange(std::vector<Pending> settlements, std::size_t credit, Wait wait)
      SWAPMQ_REQUIRES(session_mutex_);
  bool conclude(SettlementPlan& plan, std::vector<swapmq_status>& statuses,
                plugin::Received received) SWAPMQ_REQUIRES(session_mutex_);
  /// What was decided before the end reaches the broker, while it answers.
  void flush() SWAPMQ_REQUIRES(session_mutex_);
  void end_session() SWAPMQ_REQUIRES(session_mutex_);
  void drop_session(const Error& why) SWAPMQ_REQUIRES(session_mutex_);
  void note(const Error& error) SWAPMQ_EXCLUDES(error_mutex_);

  const LaneSetup setup_;
  const std::shared_ptr<Ledger> ledger_;

  Mutex session_mutex_;
  std::unique_ptr<plugin::Session> session_ SWAPMQ_GUARDED_BY(session_mutex_);
  metrics::Gauge::Hold in_use_ SWAPMQ_GUARDED_BY(session_mutex_);
  swapmq_subscription* subscription_ SWAPMQ_GUARDED_BY(session_mutex_) = nullptr;
  swapmq_queue* dead_letters_ SWAPMQ_GUARDED_BY(session_mutex_) = nullptr;
  std::shared_ptr<const LanePolicy> followed_ SWAPMQ_GUARDED_BY(session_mutex_);
  bool closed_ SWAPMQ_GUARDED_BY(session_mutex_) = false;

  Mutex policy_mutex_;
  std::shared_ptr<const LanePolicy> policy_ SWAPMQ_GUARDED_BY(policy_mutex_);

  mutable Mutex error_mutex_;
  Error last_error_ SWAPMQ_GUARDED_BY(error_mutex_);

  Backoff backoff_;                     // the lane's thread's
  std::atomic<std::size_t> running_{1}; // threads that have not come to their end
  std::vector<std::thread> workers_;
  std::thread thread_;
};

} // namespace swapmq::queue
