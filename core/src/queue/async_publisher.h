// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "queue/publisher.h"
#include "thread_safety.h"

namespace swapmq::queue {

/// What asynchronous publishing needs threads for: the publisher thread calls the completions, and
/// leaders lead the groups that no caller leads, so that a queue whose call takes long does not
/// hold up the others. Started by the first submit(). Any thread; stop() is for the owner.
class AsyncPublisher final : public AsyncExecutor {
 public:
  using Done = std::function<void(std::span<Sent>)>; ///< one for each message

  /// As many leaders as there are sessions to publish with.
  explicit AsyncPublisher(std::size_t leaders) : leaders_(leaders) {}
  ~AsyncPublisher() override;

  /// Copies the messages, one or more. Waits while too many are under way; after the timeout `done`
  /// hears of it on the calling thread's behalf like of any other failure.
  void submit(Publisher& publisher, std::span<const Message> messages, Done done,
              std::chrono::milliseconds timeout) SWAPMQ_EXCLUDES(mutex_);
  /// Refuses what comes from now on, calls the remaining completions and joins. The publishers must
  /// have been drained.
  void stop() SWAPMQ_EXCLUDES(mutex_);

  void lead(Publisher& publisher, std::shared_ptr<PublishGroup> group, Deadline when) override;
  void hurry() override;
  void finished(std::span<PublishRequest* const> requests) override;

 private:
  struct Job {
    Publisher* publisher;
    std::shared_ptr<PublishGroup> group;
  };

  void start() SWAPMQ_REQUIRES(mutex_);
  void complete() SWAPMQ_EXCLUDES(mutex_);    ///< the publisher thread
  void lead_groups() SWAPMQ_EXCLUDES(mutex_); ///< a leader
  /// Waits for a group whose time has come; none: stopped, and nothing is left.
  std::optional<Job> next_job() SWAPMQ_EXCLUDES(mutex_);
  enum class Room { reserved, none, stopped };
  Room reserve(std::size_t messages, Deadline deadline) SWAPMQ_EXCLUDES(mutex_);

  const std::size_t leaders_;

  Mutex mutex_;
  Condition jobs_changed_, finished_changed_, room_;
  std::multimap<Deadline, Job> jobs_ SWAPMQ_GUARDED_BY(mutex_); // by their time
  std::deque<std::unique_ptr<PublishRequest>> finished_ SWAPMQ_GUARDED_BY(mutex_);
  std::size_t under_way_ SWAPMQ_GUARDED_BY(mutex_) = 0; // messages; completion not yet called
  bool stopping_ SWAPMQ_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_ SWAPMQ_GUARDED_BY(mutex_);
};

} // namespace swapmq::queue
