// SPDX-License-Identifier: MIT
//
// What stands behind a MessageQueue: the sides that it uses, its publishers and consumers, and two
// threads that look after them: the timekeeper, which never waits for a broker, and the keeper,
// which serves what lies idle.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "config/current.h"
#include "plugin/session.h"
#include "probe/trial.h"
#include "queue/all_backends.h"
#include "queue/async_publisher.h"
#include "queue/backend_opener.h"
#include "queue/consumer.h"
#include "queue/log.h"
#include "queue/publisher.h"
#include "queue/queue_rules.h"
#include "queue/route.h"
#include "queue/side.h"
#include "switch/switcher.h"
#include "switch/traffic.h"
#include "thread_safety.h"

namespace swapmq::detail {

using queue::Deadline;

class Runtime final : public std::enable_shared_from_this<Runtime>, public switching::Traffic {
 public:
  static Result<std::shared_ptr<Runtime>> open(config::Config config);
  ~Runtime() override;
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// The publisher of a queue, made on first use; errors: an impossible name, closed.
  /// One that nobody uses may be destroyed and made anew.
  Result<std::shared_ptr<queue::Publisher>> publisher(std::string_view queue)
      SWAPMQ_EXCLUDES(mutex_);
  queue::AsyncPublisher& async() { return async_; }
  /// As Config's: where what is published to the queue goes, if not there.
  [[nodiscard]] std::vector<std::string> group_queues(std::string_view queue) const {
    return config_.has_groups() ? config_.get()->group_queues(queue) : std::vector<std::string>();
  }
  Result<std::shared_ptr<ConsumerState>> consume(std::string_view queue,
                                                 const ConsumeOptions& options,
                                                 const Handler& handler) SWAPMQ_EXCLUDES(mutex_);
  /// What a lane of a consumer needs to consume from a queue of that side.
  queue::LaneSetup lane_setup(const std::string& queue, const std::shared_ptr<queue::Side>& side);
  std::shared_ptr<const queue::LanePolicy> lane_policy(const std::string& queue,
                                                       const queue::Side& side);

  /// A session for looking and managing, with the queue's handle in it.
  struct Admin {
    std::shared_ptr<queue::Side> side; // first: it owns the session's pool
    queue::SessionPool::Lease session;
    swapmq_queue* queue = nullptr; // none where no queue was asked for
  };
  Result<Admin> admin(std::string_view queue, Deadline deadline);
  Result<Admin> admin(Deadline deadline);
  /// All backends that are consumed from, for looking and managing.
  queue::AllBackends all_backends() SWAPMQ_EXCLUDES(mutex_);

  /// The side that publishes go to.
  [[nodiscard]] std::shared_ptr<queue::Side> side() const { return route_.side(); }

  // What a switch does with us.
  Result<std::shared_ptr<queue::Side>> open_side(const switching::Member& member,
                                                 const queue::OpenTerms& terms) override;
  void use(const std::shared_ptr<queue::Side>& side) override SWAPMQ_EXCLUDES(mutex_);
  void consume_from(const std::shared_ptr<queue::Side>& side) override SWAPMQ_EXCLUDES(mutex_);
  void hold_back(const std::shared_ptr<queue::Side>& side) override SWAPMQ_EXCLUDES(mutex_);
  QueueNames consumed_queues() override SWAPMQ_EXCLUDES(mutex_);
  void hold_publishes(bool yes) override SWAPMQ_EXCLUDES(mutex_);
  queue::Route& route() override { return route_; }
  void publish_to(const std::shared_ptr<queue::Side>& side) override SWAPMQ_EXCLUDES(mutex_);
  void leave(const std::shared_ptr<queue::Side>& side) override SWAPMQ_EXCLUDES(mutex_);
  bool sweep(const std::shared_ptr<queue::Side>& side) override SWAPMQ_EXCLUDES(mutex_);
  std::size_t unsettled(const queue::Side& side) override SWAPMQ_EXCLUDES(mutex_);
  swapmq_queue_spec queue_spec(std::string_view queue) override { return rules_.spec(queue); }
  std::string dead_letter_queue(std::string_view queue) override {
    return rules_.dead_letter_queue(queue);
  }
  queue::Log& log() override { return *log_; }

  Result<std::uint64_t> switch_to(std::string_view type, const SwitchOptions& options);
  /// As MessageQueue::reload(), of a config that was checked.
  Result<ReloadResult> reload(config::Config config) SWAPMQ_EXCLUDES(reload_mutex_, mutex_);
  switching::Switcher& switcher() { return *switcher_; }

  /// Null: none. The facade says when it may be set.
  [[nodiscard]] Tracer* tracer() const { return tracer_.get(); }
  void set_tracer(std::shared_ptr<Tracer> tracer) { tracer_ = std::move(tracer); }

  /// From every side that is consumed from.
  void let_consume(ConsumerState& consumer) SWAPMQ_EXCLUDES(mutex_);

  Error close(milliseconds timeout) SWAPMQ_EXCLUDES(mutex_);
  [[nodiscard]] std::vector<Metric> metrics() const;
  [[nodiscard]] std::shared_ptr<const config::Config> config() const { return config_.get(); }
  [[nodiscard]] const std::string& state_dir() const { return state_dir_; }

 private:
  Runtime(config::Config config, std::shared_ptr<queue::Log> log);
  Error start() SWAPMQ_EXCLUDES(mutex_);

  /// The queue that a consumer's group has. Errors: invalid_argument, the config gives it none.
  [[nodiscard]] Result<std::string> queue_of_group(std::string_view queue,
                                                   const std::string& group) const;
  /// Null: there is none yet.
  Result<std::shared_ptr<queue::Publisher>> known_publisher(std::string_view queue)
      SWAPMQ_EXCLUDES(mutex_);
  /// As the config of now wants it.
  void guard();
  void keep_time();
  void keep();
  /// Waits for the next round of a keeper and fills in the consumers there are; false: the end.
  bool next_round(std::vector<std::shared_ptr<ConsumerState>>& consumers) SWAPMQ_EXCLUDES(mutex_);
  /// Where they are consumed from; of those that look at the same queues the newest.
  std::map<std::string, std::shared_ptr<queue::Side>> sides_by_key() SWAPMQ_EXCLUDES(mutex_);
  [[nodiscard]] std::vector<std::shared_ptr<queue::Side>> sides() SWAPMQ_EXCLUDES(mutex_);
  std::vector<std::shared_ptr<ConsumerState>> consumers() SWAPMQ_EXCLUDES(mutex_);
  std::vector<std::shared_ptr<ConsumerState>> living_consumers() SWAPMQ_REQUIRES(mutex_);
  void forget_idle_publishers() SWAPMQ_REQUIRES(mutex_);
  /// Publishers that wait to try again do so now.
  void wake_publishers() SWAPMQ_EXCLUDES(mutex_);

  config::Current config_;
  const std::string state_dir_; // a reload does not change it
  const queue::QueueRules rules_;
  const std::shared_ptr<queue::Log> log_;
  queue::BackendOpener opener_;
  queue::Route route_;
  std::shared_ptr<Tracer> tracer_; ///< before async_, which calls back to its spans
  queue::AsyncPublisher async_;

  Mutex reload_mutex_; // held during a reload, before mutex_
  mutable Mutex mutex_;
  Condition keeper_wakes_;
  std::vector<std::shared_ptr<queue::Side>> sides_ SWAPMQ_GUARDED_BY(mutex_); // in use
  std::map<std::string, std::shared_ptr<queue::Publisher>, std::less<>> publishers_
      SWAPMQ_GUARDED_BY(mutex_);
  std::size_t many_publishers_ SWAPMQ_GUARDED_BY(mutex_) = 4096; // time to forget the idle ones
  std::vector<std::weak_ptr<ConsumerState>> consumers_ SWAPMQ_GUARDED_BY(mutex_);
  bool closing_ SWAPMQ_GUARDED_BY(mutex_) = false; // no more consumers
  bool closed_ SWAPMQ_GUARDED_BY(mutex_) = false;  // nothing more at all
  bool stop_keeping_ SWAPMQ_GUARDED_BY(mutex_) = false;
  std::thread timekeeper_, keeper_;
  std::unique_ptr<switching::Switcher> switcher_;
  probe::Guard guard_; // while it is open
};

} // namespace swapmq::detail
