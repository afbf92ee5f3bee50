// SPDX-License-Identifier: MIT
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "queue/backoff.h"
#include "queue/side.h"
#include "switch/member.h"
#include "thread_safety.h"

namespace swapmq::switching {

/// Opens backends on threads of its own, so that one which is dead or hangs holds up nobody. After
/// a failure there is a pause that grows. The functions are for one thread, the destructor as well,
/// and return at once but for stop().
class OpenerLine {
 public:
  /// Any thread; blocks as long as it has to.
  using Open = std::function<Result<std::shared_ptr<queue::Side>>(const Member&)>;
  struct Opened {
    Member member;
    Result<std::shared_ptr<queue::Side>> side;
  };
  static constexpr std::size_t max_at_once = 4;

  /// `ring` is called on any thread when there is something to take.
  OpenerLine(Open open, std::function<void()> ring);
  ~OpenerLine();
  OpenerLine(const OpenerLine&) = delete;
  OpenerLine& operator=(const OpenerLine&) = delete;

  /// Begins to open it, unless that is under way, its pause is not over or too many are under way:
  /// whoever still wants it asks again.
  void want(const Member& member) SWAPMQ_EXCLUDES(mutex_);
  /// What has ended since the last time, well or not.
  std::vector<Opened> take() SWAPMQ_EXCLUDES(mutex_);
  /// What happened before says nothing any more: the next attempt need not wait.
  void hurry(const std::string& key) { pauses_.erase(key); }
  /// Awaits what is under way and closes it.
  void stop() SWAPMQ_EXCLUDES(mutex_);

 private:
  struct Attempt {
    Member member;
    std::thread thread;
    std::optional<Result<std::shared_ptr<queue::Side>>> outcome; ///< under the lock
  };
  struct Pause {
    queue::Backoff backoff;
    queue::Deadline until{};
  };

  const Open open_;
  const std::function<void()> ring_;
  std::map<std::string, Pause> pauses_; ///< by key
  Mutex mutex_;
  std::map<std::string, Attempt> attempts_ SWAPMQ_GUARDED_BY(mutex_); ///< by key
};

} // namespace swapmq::switching
