// SPDX-License-Identifier: MIT
//
// The switch: PROTOCOL.md as code, in its order of steps. One thread does it all; it owns the chain
// of backends that are still owed something and the list of those that are watched.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "metrics/histogram.h"
#include "queue/backoff.h"
#include "switch/backlog.h"
#include "switch/journal.h"
#include "switch/mover.h"
#include "switch/opener_line.h"
#include "switch/traffic.h"
#include "thread_safety.h"

namespace swapmq::switching {

/// A config that is to be followed.
struct Following {
  std::vector<Member> listed; ///< all its backends, the configured one last
  SwitchOptions options;
  bool renew = false; ///< backends are to be opened anew, even with the same options
};

/// What it takes to follow a config.
struct Followed {
  std::uint64_t number = 0;   ///< of the switch that began; 0: none was needed
  bool stays = false;         ///< the same backend, which would forget its messages if opened anew
  bool other_options = false; ///< than it was opened with
};

/// Any thread, but for start() and stop().
class Switcher {
 public:
  /// The traffic outlives it.
  Switcher(Traffic& traffic, std::unique_ptr<Journal> journal);
  ~Switcher();
  Switcher(const Switcher&) = delete;
  Switcher& operator=(const Switcher&) = delete;

  /// Step 1, boot: finds out where publishes go (the journal's word before the config's) and opens
  /// that. The others of the chain are opened by run(), which also follows the config, if that says
  /// something else.
  Result<std::shared_ptr<queue::Side>> boot(const Following& following);
  /// Begins to work: after boot(), once traffic goes to its side.
  void start();
  void stop();

  /// Names a queue in the journal, before its first use.
  Error use_queue(std::string_view queue) { return journal_->add_queue(queue); }

  Result<std::uint64_t> ask(const Member& target, const SwitchOptions& options)
      SWAPMQ_EXCLUDES(mutex_);
  Error cancel() SWAPMQ_EXCLUDES(mutex_);
  Result<std::uint64_t> roll_back() SWAPMQ_EXCLUDES(mutex_);
  /// In place of a switch to elsewhere that is not cut over yet.
  Result<Followed> follow(const Following& following) SWAPMQ_EXCLUDES(mutex_);
  Error forget(std::string_view backend, bool give_up) SWAPMQ_EXCLUDES(mutex_);
  [[nodiscard]] SwitchStatus status() const SWAPMQ_EXCLUDES(mutex_);
  [[nodiscard]] std::vector<Metric> metrics() const;
  SwitchStatus wait(queue::Deadline deadline) SWAPMQ_EXCLUDES(mutex_);

 private:
  enum class Origin { command, config, roll_back };
  struct Request {
    std::uint64_t number = 0;
    Member target;
    SwitchOptions options;
    Origin origin = Origin::command;
    std::optional<queue::Deadline> prepared_by{}; ///< none: it was not begun
  };
  /// Something that has to last for a while until it is believed.
  struct Quiet {
    std::optional<queue::Deadline> since;
    bool lasts(bool quiet, std::chrono::milliseconds long_enough);
  };
  /// A queue that lies untouched.
  struct Untouched {
    std::uint64_t ready = 0;
    queue::Deadline since;
    bool moving = false; ///< long enough: until nothing is ready there
  };
  /// A backend that is watched, and what is known of it.
  struct Visited {
    Member member;
    std::shared_ptr<queue::Side> side; ///< null: it could not be opened yet
    bool anew = false;                 ///< its member changed: to be opened in place of the side
    bool consumed = false;             ///< consumers were told to
    bool passed = false; ///< since it was left, all of it was delivered and settled, once
    Quiet empty, settled;
    Backlog backlog;
    std::optional<queue::Deadline> looked, grew; ///< when; others published there
    std::int64_t newest_ms = 0; ///< the newest message that came from there, until now
    std::map<std::string, Untouched> untouched; ///< queues that nobody here consumes
    std::unique_ptr<Mover> mover;               ///< null: nothing was to be moved
    std::uint64_t moved = 0;                    ///< by movers of before
    Error error;
    queue::Backoff look_pauses{}; ///< after looks that failed
    queue::Deadline next_look{};  ///< not before that
  };

  Error begin_journal(const std::vector<Member>& chain);
  Error recall(const std::vector<Member>& listed);
  // The steps, on the switch's thread.
  void run();
  struct Work {
    std::optional<Request> request;
    std::optional<Following> following; ///< for the options of those that are only watched
    std::vector<std::string> forget;    ///< keys
  };
  /// Waits for the next of its rounds; none: the end.
  std::optional<Work> wait_for_work() SWAPMQ_EXCLUDES(mutex_);
  void perform(Request request);
  /// Strict order: the target is owed messages, and has to be emptied before it gets new ones; or
  /// it is consumed from, and a consumer would take what is new at once.
  [[nodiscard]] bool must_wait(const Request& request);
  Result<std::shared_ptr<queue::Side>> prepare(const Request& request);
  Error compare(queue::Side& target, const SwitchOptions& options);
  Error make_queues(queue::Side& target, const Request& request, queue::Deadline deadline);
  Error cut_over(const Request& request, const std::shared_ptr<queue::Side>& side);
  void publishes_there_from_now();
  void write_cut_over(const Request& request, Record& record) const;
  void leave(const std::shared_ptr<queue::Side>& side);
  void refresh(const Following& following);
  Error reopen(Visited& visited, const Member& member);
  void forget_those(const std::vector<std::string>& keys);
  Error stop_watching(const std::string& key, const std::string& why,
                      queue::LogLevel level = queue::LogLevel::info);
  void open_missing();
  void take_over(OpenerLine::Opened opened);
  void sweep();

  // Steps 5 to 7 and 9, on the same thread.
  void open_gates();
  void let_consume(Visited& visited, bool yes);
  void discharge();
  /// Somebody waits for the next round.
  [[nodiscard]] bool hurried() const SWAPMQ_EXCLUDES(mutex_);
  bool is_discharged(Visited& visited, BacklogPolicy policy);
  void look(Visited& visited, const Record& record);
  void note_growth(Visited& visited, const Backlog& now);
  void notice_others();
  void note_others(Visited& visited);
  Error retire(Visited& visited);
  Error leave_alone(Visited& visited);
  void watch();
  void move_what_is_to_move(Visited& visited, const Record& record);
  std::set<std::string> stranded(Visited& visited);
  void stop_moving(Visited& visited);
  void tell_overdue();

  // What others ask and see of it.
  std::uint64_t begin(const Member& target, const SwitchOptions& options, Origin origin)
      SWAPMQ_REQUIRES(mutex_);
  [[nodiscard]] bool preparing() const SWAPMQ_REQUIRES(mutex_);
  Result<std::uint64_t> ask_as(const Member& target, const SwitchOptions& options, Origin origin)
      SWAPMQ_EXCLUDES(mutex_);
  void enter(std::uint64_t number, SwitchPhase phase, const Error& why = {})
      SWAPMQ_EXCLUDES(mutex_);
  void describe_backends() SWAPMQ_EXCLUDES(mutex_);
  [[nodiscard]] bool stopping() const SWAPMQ_EXCLUDES(mutex_);
  [[nodiscard]] bool cancelled(const Request& request) const SWAPMQ_EXCLUDES(mutex_);
  void say(queue::LogLevel level, const std::string& line);

  Traffic& traffic_;
  const std::unique_ptr<Journal> journal_;
  std::map<std::string, Visited> visited_;            ///< by key; the thread's own once it runs
  std::vector<std::shared_ptr<queue::Side>> leaving_; ///< replaced, and owed their settlements
  OpenerLine line_;                ///< of those that could not be opened, or are to be opened anew
  std::uint64_t draining_ = 0;     ///< number of the switch that cut over last, until it is retired
  std::optional<Request> waiting_; ///< until its target is empty
  queue::Deadline cut_over_at_;    ///< the last one, or the start, and by the wall clock
  std::int64_t cut_over_at_unix_ms_ = 0;
  std::optional<queue::Deadline> overdue_at_; ///< of its drain; none: never, or it was said

  mutable Mutex mutex_;
  mutable Condition changed_;
  Work work_ SWAPMQ_GUARDED_BY(mutex_);              ///< that was asked for
  Member active_ SWAPMQ_GUARDED_BY(mutex_);          ///< as it was opened
  bool forgetful_ SWAPMQ_GUARDED_BY(mutex_) = false; ///< the active one keeps nothing if reopened
  Member target_ SWAPMQ_GUARDED_BY(mutex_);          ///< of the last request
  Origin origin_ SWAPMQ_GUARDED_BY(mutex_) = Origin::command; ///< the same
  SwitchOptions config_options_ SWAPMQ_GUARDED_BY(mutex_);    ///< of the config of now
  SwitchStatus status_ SWAPMQ_GUARDED_BY(mutex_);
  queue::Deadline asked_ SWAPMQ_GUARDED_BY(mutex_){};
  std::uint64_t cancelled_ SWAPMQ_GUARDED_BY(mutex_) = 0; ///< all requests up to that one
  bool stopping_ SWAPMQ_GUARDED_BY(mutex_) = false;
  bool opened_ SWAPMQ_GUARDED_BY(mutex_) = false; ///< the line has something to take
  static constexpr std::size_t phases = static_cast<std::size_t>(SwitchPhase::refused) + 1;
  std::array<metrics::Counter, phases> entered_; ///< by phase
  std::thread thread_;
};

} // namespace swapmq::switching
