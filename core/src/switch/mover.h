// SPDX-License-Identifier: MIT
//
// Step 7 of PROTOCOL.md: carries what lies on one side to where publishes go. It claims messages as
// a consumer does, publishes them with the same ids, waits for the confirms, and only then acks: a
// crash between leaves a message on both sides, never on none.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <unordered_set>
#include <vector>

#include "plugin/session.h"
#include "queue/backoff.h"
#include "queue/side.h"
#include "switch/traffic.h"
#include "thread_safety.h"

namespace swapmq::switching {

/// Any thread, but for the constructor and destructor. One thread of its own does the work.
class Mover {
 public:
  /// The traffic outlives it.
  Mover(Traffic& traffic, std::shared_ptr<queue::Side> from);
  ~Mover(); ///< stops
  Mover(const Mover&) = delete;
  Mover& operator=(const Mover&) = delete;

  /// Moves what lies in these queues from now on, and nothing of others.
  void move(std::set<std::string> queues) SWAPMQ_EXCLUDES(mutex_);
  /// Gives back what is claimed. Waits for a call of a plugin that is under way. Not twice at once.
  void stop() SWAPMQ_EXCLUDES(mutex_);
  /// Whether it holds messages that are neither here nor there.
  [[nodiscard]] bool carries() const { return carries_.load(); }
  /// Messages that were moved, all in all.
  [[nodiscard]] std::uint64_t moved() const { return moved_.load(); }
  /// The last error, ok while it works.
  [[nodiscard]] Error error() const SWAPMQ_EXCLUDES(mutex_);

  /// What became of a message that was claimed.
  enum class Fate { waits, moved, kept };

 private:
  /// A queue that is left alone for a while.
  struct Rest {
    queue::Backoff backoff{std::chrono::milliseconds(1000), std::chrono::milliseconds(60'000)};
    queue::Deadline until{};
  };
  /// Of one time at a queue.
  struct Tally {
    std::uint64_t moved = 0, kept = 0;
    std::unordered_set<std::size_t> circling; ///< ids' hashes: who comes back at once is kept
  };

  void run();
  void serve();
  /// Those to move from now; none: the end.
  [[nodiscard]] std::optional<std::set<std::string>> queues() const SWAPMQ_EXCLUDES(mutex_);
  void wait_for_queues() SWAPMQ_EXCLUDES(mutex_);
  /// Ends early at the end of all.
  void pause(std::chrono::milliseconds time) SWAPMQ_EXCLUDES(mutex_);
  /// Whether to go on with that queue.
  [[nodiscard]] bool wanted(const std::string& queue) const SWAPMQ_EXCLUDES(mutex_);
  Error open_session(queue::Deadline deadline);
  Tally move_queue(const std::string& queue);
  Error move_batches(const std::string& queue, swapmq_subscription* subscription, Tally& tally);
  Error carry(const std::string& queue, swapmq_subscription* subscription,
              const swapmq_batch& batch, Tally& tally);
  /// Keeps those that have to stay for now.
  void choose(const std::string& queue, const swapmq_batch& batch, std::vector<Fate>& fates,
              Tally& tally);
  /// Publishes those that wait, until each is moved or cannot be.
  Error publish(const std::string& queue, const swapmq_batch& batch, std::vector<Fate>& fates);
  Error publish_once(const std::string& queue, const swapmq_batch& batch, std::vector<Fate>& fates);
  Error settle(swapmq_subscription* subscription, const swapmq_batch& batch,
               const std::vector<Fate>& fates);
  void rest(const std::string& queue);
  void note(const Error& error) SWAPMQ_EXCLUDES(mutex_);

  Traffic& traffic_;
  const std::shared_ptr<queue::Side> from_;
  // The thread's own.
  std::unique_ptr<plugin::Session> session_;
  std::map<std::string, Rest> rests_;

  std::atomic<std::uint64_t> moved_{0};
  std::atomic<bool> carries_{false};
  mutable Mutex mutex_;
  Condition changed_;
  std::set<std::string> queues_ SWAPMQ_GUARDED_BY(mutex_);
  Error error_ SWAPMQ_GUARDED_BY(mutex_);
  bool stopping_ SWAPMQ_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

} // namespace swapmq::switching
