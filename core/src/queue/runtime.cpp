// SPDX-License-Identifier: MIT
#include "queue/runtime.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "config/queue_name.h"
#include "config/text.h"
#include "queue/clock.h"
#include "quiet_thread.h"

namespace swapmq::detail {

using std::chrono::steady_clock;

namespace {

constexpr milliseconds keeper_period{250};
constexpr milliseconds keeper_patience{1000}; // for one call of service()

} // namespace

Result<std::shared_ptr<Runtime>> Runtime::open(config::Config config) {
  auto log = queue::Log::open(config.log_level, config.log_file);
  if (!log) return log.error();
  std::shared_ptr<Runtime> runtime(new Runtime(std::move(config), std::move(*log)));
  if (Error error = runtime->start()) return error;
  return runtime;
}

Runtime::Runtime(config::Config config, std::shared_ptr<queue::Log> log)
    : config_(std::move(config)),
      state_dir_(config_.get()->state_dir),
      rules_(config_),
      log_(std::move(log)),
      opener_(config_, log_),
      async_(config_.get()->pool.publish_sessions) {}

Error Runtime::start() {
  const auto config = config_.get();
  auto listed = queue::BackendOpener::members(*config);
  if (!listed) return listed.error();
  auto journal =
      state_dir_.empty() ? switching::Journal::in_memory() : switching::Journal::open(state_dir_);
  if (!journal) return journal.error();
  switcher_ = std::make_unique<switching::Switcher>(*this, std::move(*journal));
  auto side = switcher_->boot({*listed, config->switching});
  if (!side) return side.error();
  route_.change(*side);
  use(*side);
  timekeeper_ = quiet_thread([this] { keep_time(); });
  keeper_ = quiet_thread([this] { keep(); });
  guard();
  switcher_->start();
  return {};
}

Runtime::~Runtime() {
  if (keeper_.joinable()) close(milliseconds(0));
}

Result<std::shared_ptr<queue::Publisher>> Runtime::known_publisher(std::string_view queue) {
  const Lock lock(mutex_);
  if (closed_) return Error(Errc::closed, "the message queue is closed");
  const auto found = publishers_.find(queue);
  return found != publishers_.end() ? found->second : nullptr;
}

Result<std::shared_ptr<queue::Publisher>> Runtime::publisher(std::string_view queue) {
  auto known = known_publisher(queue);
  if (!known || *known != nullptr) return known;
  if (Error error = config::check_queue_name(queue)) return error;
  if (Error error = switcher_->use_queue(queue)) return error; // not under the lock: may fsync
  const Lock lock(mutex_);
  if (closed_) return Error(Errc::closed, "the message queue is closed");
  forget_idle_publishers();
  auto& publisher = publishers_[std::string(queue)];
  if (publisher == nullptr) {
    publisher = std::make_shared<queue::Publisher>(std::string(queue), rules_, route_, async_);
  }
  return publisher;
}

/// Some applications make a queue for each answer that they await: names without end.
void Runtime::forget_idle_publishers() {
  if (publishers_.size() < many_publishers_) return;
  std::erase_if(publishers_, [](const auto& one) {
    return one.second.use_count() == 1 && one.second->idle(); // only here are new users let in
  });
  many_publishers_ = std::max(many_publishers_, publishers_.size() * 2);
}

std::shared_ptr<const queue::LanePolicy> Runtime::lane_policy(const std::string& queue,
                                                              const queue::Side& side) {
  // The consumer keeps this object, so `this` lives as long as its lanes.
  const auto publish = [this](const std::string& to, const Message& message) {
    auto target = publisher(to);
    if (!target) return Sent(Outcome::failed, message.id, target.error());
    queue::PublishRequest request({&message, 1}, config()->connection_timeout);
    (*target)->publish(request);
    return request.sent(0);
  };
  return rules_.policy(queue, side.backend().capabilities(), publish);
}

queue::LaneSetup Runtime::lane_setup(const std::string& queue,
                                     const std::shared_ptr<queue::Side>& side) {
  queue::LaneSetup setup;
  setup.side = side;
  setup.log = log_;
  setup.queue = queue;
  setup.queue_metrics = &side->metrics().queue(queue);
  setup.spec = rules_.spec(queue);
  setup.policy = lane_policy(queue, *side);
  setup.connection_timeout = config()->connection_timeout;
  setup.tracer = tracer_;
  return setup;
}

Result<std::string> Runtime::queue_of_group(std::string_view queue,
                                            const std::string& group) const {
  const std::vector<std::string> groups = config_.get()->queue(queue).groups;
  const auto among = [&](const std::string& one) {
    return std::find(groups.begin(), groups.end(), one) != groups.end();
  };
  if (among(group)) return config::group_queue(queue, group);
  const std::string named = "the queue " + config::quoted(queue);
  if (group.empty()) {
    if (!groups.empty()) {
      log_->write(queue::LogLevel::warning,
                  named + " is consumed without a group: what is published now goes to its groups");
    }
    return std::string(queue);
  }
  std::string known;
  for (const std::string& one : groups) known += (known.empty() ? "" : ", ") + config::quoted(one);
  return Error(Errc::invalid_argument,
               named + (groups.empty() ? " has no groups" : " has the groups " + known) + ", not " +
                   config::quoted(group) + "; the config lists them in \"queues\"");
}

Result<std::shared_ptr<ConsumerState>> Runtime::consume(std::string_view of,
                                                        const ConsumeOptions& options,
                                                        const Handler& handler) {
  if (Error error = config::check_queue_name(of)) return error;
  const Result<std::string> queue = queue_of_group(of, options.group);
  if (!queue) return queue.error();
  if (options.prefetch == 0 || options.prefetch > 65'536) {
    return Error(Errc::invalid_argument, "prefetch is not 1 to 65536");
  }
  if (options.concurrency == 0 || options.concurrency > 1024) {
    return Error(Errc::invalid_argument, "concurrency is not 1 to 1024");
  }
  if (Error error = switcher_->use_queue(*queue)) return error;
  auto state =
      std::make_shared<ConsumerState>(shared_from_this(), ConsumeRequest{*queue, options, handler});
  {
    const Lock lock(mutex_);
    if (closing_) return Error(Errc::closed, "the message queue is closed");
    std::erase_if(consumers_, [](const auto& consumer) { return consumer.expired(); });
    consumers_.push_back(state);
  }
  let_consume(*state);
  return state;
}

// Whoever lets a side be consumed from tells all consumers: one of us two sees the other.
void Runtime::let_consume(ConsumerState& consumer) {
  for (const auto& side : sides()) consumer.consume_from(side);
}

Result<std::shared_ptr<queue::Side>> Runtime::open_side(const switching::Member& member,
                                                        const queue::OpenTerms& terms) {
  return opener_.open(member, terms);
}

void Runtime::guard() {
  const auto config = config_.get();
  if (!config->probe) return guard_.off();
  guard_.on(config->switching.prepare_timeout,
            [log = log_](const std::string& line) { log->write(queue::LogLevel::warning, line); });
}

void Runtime::use(const std::shared_ptr<queue::Side>& side) {
  const Lock lock(mutex_);
  if (std::find(sides_.begin(), sides_.end(), side) == sides_.end()) sides_.push_back(side);
}

void Runtime::consume_from(const std::shared_ptr<queue::Side>& side) {
  side->let_consume(true);
  for (const auto& consumer : consumers()) consumer->consume_from(side);
}

void Runtime::hold_back(const std::shared_ptr<queue::Side>& side) {
  side->let_consume(false);
  for (const auto& consumer : consumers()) consumer->leave(*side);
}

switching::Traffic::QueueNames Runtime::consumed_queues() {
  QueueNames names;
  for (const auto& consumer : consumers()) {
    if (!consumer->closing()) names.insert(consumer->queue());
  }
  return names;
}

void Runtime::publish_to(const std::shared_ptr<queue::Side>& side) {
  const std::shared_ptr<queue::Side> before = route_.side();
  route_.change(side);
  // Nobody waits for what is over: neither for a session there, nor for the time of the next try.
  before->publish_sessions().turn_away();
  wake_publishers();
}

void Runtime::hold_publishes(bool yes) {
  if (!yes) {
    const std::uint64_t turn = route_.turns();
    route_.let_go();
    if (route_.turns() != turn) wake_publishers();
    return;
  }
  route_.hold(consumed_queues());
}

void Runtime::wake_publishers() {
  std::vector<std::shared_ptr<queue::Publisher>> publishers;
  {
    const Lock lock(mutex_);
    for (const auto& [name, publisher] : publishers_) publishers.push_back(publisher);
  }
  for (const auto& publisher : publishers) publisher->rerouted();
  async_.hurry();
}

std::size_t Runtime::unsettled(const queue::Side& side) {
  std::size_t sum = 0;
  for (const auto& consumer : consumers()) sum += consumer->unsettled(side);
  return sum;
}

void Runtime::leave(const std::shared_ptr<queue::Side>& side) {
  {
    const Lock lock(mutex_);
    std::erase(sides_, side);
  }
  hold_back(side);
}

bool Runtime::sweep(const std::shared_ptr<queue::Side>& side) {
  bool done = side->in_flight() == 0;
  for (const auto& consumer : consumers()) done = consumer->sweep(*side) && done;
  return done;
}

Result<std::uint64_t> Runtime::switch_to(std::string_view type, const SwitchOptions& options) {
  auto target = opener_.member(type);
  if (!target) return target.error();
  return switcher_->ask(*target, options);
}

std::vector<Metric> Runtime::metrics() const {
  std::vector<Metric> all = opener_.metrics();
  for (Metric& one : switcher_->metrics()) all.push_back(std::move(one));
  return all;
}

std::vector<std::shared_ptr<queue::Side>> Runtime::sides() {
  const Lock lock(mutex_);
  return sides_;
}

Result<Runtime::Admin> Runtime::admin(Deadline deadline) {
  auto side = route_.side();
  auto session = side->admin_sessions().acquire(deadline);
  if (!session) return session.error();
  return Admin{std::move(side), std::move(*session)};
}

Result<Runtime::Admin> Runtime::admin(std::string_view queue, Deadline deadline) {
  if (Error error = config::check_queue_name(queue)) return error;
  auto admin = this->admin(deadline);
  if (!admin) return admin;
  auto handle = admin->session->queue(queue, rules_.spec(queue));
  if (!handle) return handle.error();
  admin->queue = *handle;
  return admin;
}

std::map<std::string, std::shared_ptr<queue::Side>> Runtime::sides_by_key() {
  std::map<std::string, std::shared_ptr<queue::Side>> by_key;
  for (auto& side : sides()) by_key[side->key()] = side;
  return by_key;
}

queue::AllBackends Runtime::all_backends() {
  const auto known = switcher_->status().backends; // of the switch's last round
  auto open = sides_by_key();
  const auto active = route_.side(); // last: publishes never lead to where nobody looks
  std::vector<queue::Place> places{{active->key(), active, false, {}}};
  std::vector<queue::Place> watched;
  open.erase(active->key());
  for (const BackendStatus& one : known) {
    const bool alone = !one.watched && !one.owed;
    if (one.key == active->key() || alone) continue;
    const auto found = open.find(one.key);
    if (found == open.end() && !one.missing) continue; // it was left
    const bool only_watched = !one.owed && !one.active;
    auto& to = only_watched ? watched : places;
    to.push_back({one.key, found != open.end() ? found->second : nullptr, only_watched, one.error});
    if (found != open.end()) open.erase(found);
  }
  // What came since that round: nobody knows yet what is owed there.
  for (const auto& [key, side] : open) places.push_back({key, side, false, {}});
  std::move(watched.begin(), watched.end(), std::back_inserter(places));
  return {std::move(places), rules_};
}

std::vector<std::shared_ptr<ConsumerState>> Runtime::consumers() {
  const Lock lock(mutex_);
  return living_consumers();
}

std::vector<std::shared_ptr<ConsumerState>> Runtime::living_consumers() {
  std::vector<std::shared_ptr<ConsumerState>> living;
  for (const auto& consumer : consumers_) {
    if (auto state = consumer.lock()) living.push_back(std::move(state));
  }
  return living;
}

bool Runtime::next_round(std::vector<std::shared_ptr<ConsumerState>>& consumers) {
  consumers.clear();
  const Lock lock(mutex_);
  if (!stop_keeping_) keeper_wakes_.wait_until(mutex_, steady_clock::now() + keeper_period);
  if (stop_keeping_) return false;
  consumers = living_consumers();
  return true;
}

void Runtime::keep_time() {
  std::vector<std::shared_ptr<ConsumerState>> consumers;
  while (next_round(consumers)) {
    for (auto& consumer : consumers) consumer->tick();
  }
}

void Runtime::keep() {
  std::vector<std::shared_ptr<ConsumerState>> consumers;
  while (next_round(consumers)) {
    for (auto& consumer : consumers) consumer->serve();
    for (const auto& side : sides()) side->serve_idle(steady_clock::now() + keeper_patience);
  }
}

Error Runtime::close(milliseconds timeout) {
  const Deadline deadline = queue::deadline_after(timeout);
  if (switcher_ != nullptr) switcher_->stop(); // what is where stays as it is
  const auto left = [&] {
    return std::max(milliseconds(0),
                    std::chrono::ceil<milliseconds>(deadline - steady_clock::now()));
  };
  std::vector<std::shared_ptr<ConsumerState>> consumers;
  {
    const Lock lock(mutex_);
    closing_ = true;
    consumers = living_consumers();
  }
  Error first;
  const auto keep_first = [&](Error error) {
    if (error && !first) first = std::move(error);
  };
  // Consumers first: a handler that still runs may publish.
  for (auto& consumer : consumers) consumer->begin_close();
  for (auto& consumer : consumers) keep_first(consumer->close(left()));
  std::vector<std::shared_ptr<queue::Publisher>> publishers;
  {
    const Lock lock(mutex_);
    if (closed_) return first;
    closed_ = true;
    for (auto& [name, publisher] : publishers_) publishers.push_back(publisher);
  }
  for (const auto& publisher : publishers) {
    if (publisher->drain(deadline)) continue;
    keep_first({Errc::timeout, "some messages were not published in time"});
  }
  guard_.off();
  async_.stop();
  {
    const Lock lock(mutex_);
    stop_keeping_ = true;
    keeper_wakes_.notify_all();
  }
  for (std::thread* thread : {&timekeeper_, &keeper_}) {
    if (thread->joinable()) thread->join();
  }
  for (const auto& side : sides()) side->close();
  return first;
}

} // namespace swapmq::detail
