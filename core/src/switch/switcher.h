// SPDX-License-Identifier: MIT
//
// The switch: PROTOCOL.md as code, in its order of steps. One thread does it all; it owns the chain
// of backends that are still owed something and the list of those that are watched.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "switch/backlog.h"
#include "switch/journal.h"
#include "switch/traffic.h"
#include "thread_safety.h"

namespace swapmq::switching {

/// Any thread, but for start() and stop().
class Switcher {
 public:
  /// The traffic outlives it.
  /// follow: how the config is followed at boot.
  Switcher(Traffic& traffic, std::unique_ptr<Journal> journal, const SwitchOptions& follow);
  ~Switcher();
  Switcher(const Switcher&) = delete;
  Switcher& operator=(const Switcher&) = delete;

  /// Step 1, boot: finds out where publishes go (the journal's word before the config's) and opens
  /// that. `listed`: all backends of the config, the configured one last. The others of the chain
  /// are opened by run(), which also follows the config, if that says something else.
  Result<std::shared_ptr<queue::Side>> boot(const std::vector<Member>& listed);
  /// Begins to work: after boot(), once traffic goes to its side.
  void start();
  void stop();

  /// Names a queue in the journal, before its first use.
  Error use_queue(std::string_view queue) { return journal_->add_queue(queue); }

  Error ask(const Member& target, const SwitchOptions& options) SWAPMQ_EXCLUDES(mutex_);
  Error cancel() SWAPMQ_EXCLUDES(mutex_);
  [[nodiscard]] SwitchStatus status() const SWAPMQ_EXCLUDES(mutex_);
  SwitchStatus wait(queue::Deadline deadline) SWAPMQ_EXCLUDES(mutex_);

 private:
  struct Request {
    Member target;
    SwitchOptions options;
  };
  /// A backend that is consumed from, and what is known of it.
  struct Visited {
    Member member;
    std::shared_ptr<queue::Side> side; ///< null: it could not be opened yet
    std::optional<queue::Deadline> quiet_since;
    Backlog backlog;
    Error error;
  };

  Error begin_journal(const std::vector<Member>& chain);
  Error recall(const std::vector<Member>& listed);
  // The steps, on the switch's thread.
  void run();
  std::optional<Request> next_request() SWAPMQ_EXCLUDES(mutex_);
  void perform(const Request& request);
  Result<std::shared_ptr<queue::Side>> prepare(const Request& request);
  Error compare(queue::Side& target, const SwitchOptions& options);
  Error make_queues(queue::Side& target, queue::Deadline deadline);
  Error cut_over(const Request& request, const std::shared_ptr<queue::Side>& side);
  void open_missing();
  void discharge();
  bool is_empty(Visited& visited);
  Error retire(const Visited& visited);

  // What others see of it.
  void enter(SwitchPhase phase, const Error& why = {}) SWAPMQ_EXCLUDES(mutex_);
  void describe_backends() SWAPMQ_EXCLUDES(mutex_);
  [[nodiscard]] bool cancelled() const SWAPMQ_EXCLUDES(mutex_);
  void say(queue::LogLevel level, const std::string& line);

  Traffic& traffic_;
  const std::unique_ptr<Journal> journal_;
  const SwitchOptions follow_;
  std::map<std::string, Visited> visited_; ///< by key; the thread's own once it runs
  std::optional<Member> configured_;       ///< to be followed, where the journal said otherwise

  mutable Mutex mutex_;
  mutable Condition changed_;
  std::optional<Request> request_ SWAPMQ_GUARDED_BY(mutex_);
  SwitchStatus status_ SWAPMQ_GUARDED_BY(mutex_);
  queue::Deadline asked_ SWAPMQ_GUARDED_BY(mutex_){};
  std::optional<Member> before_ SWAPMQ_GUARDED_BY(mutex_); ///< what was active before the last one
  bool cancel_ SWAPMQ_GUARDED_BY(mutex_) = false;
  bool stopping_ SWAPMQ_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

} // namespace swapmq::switching
