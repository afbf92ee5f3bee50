// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <thread>

#include "queue/publisher.h"
#include "thread_safety.h"

namespace swapmq::queue {

/// The library's publisher thread: leads the groups that no caller leads, and calls the
/// completions. Started by the first submit(). Any thread; stop() is for the owner.
class AsyncPublisher final : public AsyncExecutor {
 public:
  using Done = std::function<void(Sent)>;

  AsyncPublisher() = default;
  ~AsyncPublisher() override;

  /// Copies the message. Waits while too many are under way; after the deadline `done` hears of it
  /// on the calling thread's behalf like of any other failure.
  void submit(Publisher& publisher, const Message& message, Done done, Deadline deadline)
      SWAPMQ_EXCLUDES(mutex_);
  /// Refuses what comes from now on, calls the remaining completions and joins. The publishers must
  /// have been drained.
  void stop() SWAPMQ_EXCLUDES(mutex_);

  void lead(Publisher& publisher, std::shared_ptr<PublishGroup> group, Deadline when) override;
  void hurry() override;
  void finished(PublishRequest* request) override;

 private:
  struct Job {
    Publisher* publisher;
    std::shared_ptr<PublishGroup> group;
  };

  void run() SWAPMQ_EXCLUDES(mutex_);
  /// Waits for something to do and takes it; false: stopped, and nothing is left.
  bool take(std::deque<std::unique_ptr<PublishRequest>>& finished, std::optional<Job>& job)
      SWAPMQ_EXCLUDES(mutex_);
  enum class Room { reserved, none, stopped };
  Room reserve(Deadline deadline) SWAPMQ_EXCLUDES(mutex_);

  Mutex mutex_;
  Condition work_, room_;
  std::multimap<Deadline, Job> jobs_ SWAPMQ_GUARDED_BY(mutex_); // by their time
  std::deque<std::unique_ptr<PublishRequest>> finished_ SWAPMQ_GUARDED_BY(mutex_);
  std::size_t under_way_ SWAPMQ_GUARDED_BY(mutex_) = 0; // submitted, completion not yet called
  bool stopping_ SWAPMQ_GUARDED_BY(mutex_) = false;
  std::thread thread_ SWAPMQ_GUARDED_BY(mutex_);
};

} // namespace swapmq::queue
