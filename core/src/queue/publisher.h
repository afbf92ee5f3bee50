// SPDX-License-Identifier: MIT
//
// Group commit for one queue. Callers that publish at the same time travel in one call of the
// plugin: the first one that finds nobody publishing leads; those who come while it does gather in
// a group, whose first member leads next. A lone caller leads at once, on its own thread. One call
// is under way at a time, so that messages keep their order. The leader retries what can be
// retried, with backoff, until each request's own deadline; if its own passes first, another member
// of the group goes on.
#pragma once

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "metrics/metrics.h"
#include "plugin/session.h"
#include "queue/publish_request.h"
#include "queue/queue_rules.h"
#include "queue/route.h"
#include "thread_safety.h"

namespace swapmq::queue {

class Publisher;

constexpr Deadline at_once{};

/// Runs what asynchronous requests need a thread for; see async_publisher.h.
class AsyncExecutor {
 public:
  virtual ~AsyncExecutor() = default;
  /// Asks for publisher.lead_group(group) on a thread of its own, not before `when`.
  virtual void lead(Publisher& publisher, std::shared_ptr<PublishGroup> group, Deadline when) = 0;
  /// Those that wait for their time are led now.
  virtual void hurry() = 0;
  /// The requests are finished; takes ownership.
  virtual void finished(std::span<PublishRequest* const> requests) = 0;
};

class Publisher {
 public:
  /// The rules, the route and the executor outlive it.
  Publisher(std::string queue, const QueueRules& rules, Route& route, AsyncExecutor& async);

  /// Returns when the request is finished.
  void publish(PublishRequest& request) SWAPMQ_EXCLUDES(mutex_);
  /// Hands the request over; it comes back through AsyncExecutor::finished(). Waits for room.
  void publish_async(std::unique_ptr<PublishRequest> request) SWAPMQ_EXCLUDES(mutex_);
  /// For AsyncExecutor: leads a group whose front is asynchronous. Does not pause before another
  /// attempt, but asks to be called again.
  void lead_group(const std::shared_ptr<PublishGroup>& group);
  /// The route has changed: a leader that pauses before another attempt makes it now.
  void rerouted() SWAPMQ_EXCLUDES(mutex_);

  /// Refuses new requests and waits for those under way. false: some remain at the deadline; they
  /// stop retrying then.
  bool drain(Deadline deadline) SWAPMQ_EXCLUDES(mutex_);
  /// Nothing is under way, so that it may be destroyed if nobody can come to it any more.
  bool idle() SWAPMQ_EXCLUDES(mutex_);

 private:
  enum class Joined { leads, waits, refused };

  /// A message of a request, in the plugin call under way.
  struct Item {
    PublishRequest* request;
    std::size_t index;
  };

  void prepare(PublishRequest& request);
  void check(PublishRequest& request, const Side& side) const;
  Joined join(PublishRequest& request) SWAPMQ_EXCLUDES(mutex_);
  void wait_and_maybe_lead(PublishRequest& request);
  bool leave(PublishRequest& request) SWAPMQ_EXCLUDES(mutex_);
  void promote(PublishRequest& front, const std::shared_ptr<PublishGroup>& group);

  // The leader's part; the scratch vectors are its own while it leads.
  void lead(std::vector<PublishRequest*> requests, PublishGroup* group, const PublishRequest* own);
  void finish_done(std::vector<PublishRequest*>& requests, PublishGroup* group, bool give_up);
  void finish(PublishRequest& request);
  static void count(const PublishRequest& request, Deadline now, metrics::QueueMetrics& metrics);
  void hand_over(std::vector<PublishRequest*> requests, PublishGroup& group);
  bool attempt(const std::vector<PublishRequest*>& requests, Deadline deadline);
  Error call(Side& side, Deadline deadline);
  bool fold_all(const Error& error, bool cut);
  void enter(const std::vector<PublishRequest*>& requests, const Side& side);
  void collect(const std::vector<PublishRequest*>& requests);
  void encode(swapmq_message& to, const Item& item);
  bool fold(const Item& item, const swapmq_publish_result& result, const Error& error, bool cut);
  bool pause(Deadline until) SWAPMQ_EXCLUDES(mutex_);
  bool lead_later(std::vector<PublishRequest*>& requests, Deadline when) SWAPMQ_EXCLUDES(mutex_);
  void pass_on() SWAPMQ_EXCLUDES(mutex_);

  const std::string queue_;
  const QueueRules& rules_;
  Route& route_;
  AsyncExecutor& async_;

  Mutex mutex_;
  Condition room_, no_more_pause_, ended_;
  std::deque<std::shared_ptr<PublishGroup>> groups_ SWAPMQ_GUARDED_BY(mutex_);
  std::size_t waiting_messages_ SWAPMQ_GUARDED_BY(mutex_) = 0;
  std::size_t waiting_bytes_ SWAPMQ_GUARDED_BY(mutex_) = 0;
  bool leading_ SWAPMQ_GUARDED_BY(mutex_) = false;
  bool closed_ SWAPMQ_GUARDED_BY(mutex_) = false;
  bool give_up_ SWAPMQ_GUARDED_BY(mutex_) = false;

  // Of the side that the leader used last; its books live as long as the message queue.
  std::uint64_t serial_ = 0, turn_ = 0;
  swapmq_queue_spec spec_{};
  metrics::QueueMetrics* metrics_;
  std::vector<Item> items_;
  std::vector<swapmq_message> encoded_;
  std::vector<swapmq_header> headers_;
  std::vector<swapmq_publish_result> results_;
  std::vector<PublishRequest*> completed_; ///< asynchronous ones, handed over together
};

} // namespace swapmq::queue
