// SPDX-License-Identifier: MIT
#include "queue/runtime.h"

#include <algorithm>
#include <utility>

#include "config/queue_name.h"
#include "queue/clock.h"

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
      log_(std::move(log)),
      opener_(config_, log_),
      async_(config_.pool.publish_sessions) {}

Error Runtime::start() {
  auto listed = opener_.members();
  if (!listed) return listed.error();
  auto journal = config_.state_dir.empty() ? switching::Journal::in_memory()
                                           : switching::Journal::open(config_.state_dir);
  if (!journal) return journal.error();
  SwitchOptions follow;
  follow.allow_capability_loss = config_.switching.allow_capability_loss;
  follow.prepare_timeout = config_.switching.prepare_timeout;
  switcher_ = std::make_unique<switching::Switcher>(*this, std::move(*journal), follow);
  auto side = switcher_->boot(*listed);
  if (!side) return side.error();
  route_.change(*side);
  {
    const Lock lock(mutex_);
    sides_.push_back(std::move(*side));
  }
  timekeeper_ = std::thread([this] { keep_time(); });
  keeper_ = std::thread([this] { keep(); });
  switcher_->start();
  return {};
}

Runtime::~Runtime() {
  if (keeper_.joinable()) close(milliseconds(0));
}

swapmq_queue_spec Runtime::spec(std::string_view queue) const {
  const config::QueueConfig wanted = config_.queue(queue);
  swapmq_queue_spec spec{};
  spec.struct_size = sizeof spec;
  spec.flags = wanted.strict_order ? SWAPMQ_QUEUE_STRICT_ORDER : 0;
  spec.max_length = wanted.max_length;
  return spec;
}

/// A dead letter that fails again stays where it is: there is no queue behind the last one.
bool Runtime::collects_dead_letters(std::string_view queue) const {
  if (queue.ends_with(".dead")) return true;
  return std::any_of(config_.queues.begin(), config_.queues.end(),
                     [&](const auto& one) { return one.second.dead_letter_queue == queue; });
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
    publisher = std::make_shared<queue::Publisher>(std::string(queue), spec(queue), route_, async_);
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

queue::LaneSetup Runtime::lane_setup(const std::string& queue,
                                     const std::shared_ptr<queue::Side>& side) {
  const config::QueueConfig wanted = config_.queue(queue);
  const swapmq_capabilities& can = side->backend().capabilities();
  queue::LaneSetup setup;
  setup.side = side;
  setup.log = log_;
  setup.queue_metrics = &side->metrics().queue(queue);
  setup.spec = spec(queue);
  setup.retry_delay = config_.retry_delay;
  setup.connection_timeout = config_.connection_timeout;
  setup.policy.queue = queue;
  setup.policy.native_dead_letter = can.dead_letter != SWAPMQ_ABSENT;
  setup.policy.native_release = can.release != SWAPMQ_ABSENT;
  setup.policy.native_delayed_nack = can.delayed_nack != SWAPMQ_ABSENT;
  if (!collects_dead_letters(queue)) {
    setup.policy.dead_letter_queue = wanted.dead_letter_queue;
    setup.policy.max_deliveries = wanted.max_deliveries;
    setup.dead_letter_spec = spec(wanted.dead_letter_queue);
  }
  // The consumer keeps this object, so `this` lives as long as its lanes.
  setup.policy.publish = [this](const std::string& to, const Message& message) {
    auto target = publisher(to);
    if (!target) return Sent(Outcome::failed, message.id, target.error());
    queue::PublishRequest request({&message, 1}, config_.connection_timeout);
    (*target)->publish(request);
    return request.sent(0);
  };
  return setup;
}

Result<std::shared_ptr<ConsumerState>> Runtime::consume(std::string_view queue,
                                                        const ConsumeOptions& options,
                                                        const Handler& handler) {
  if (Error error = config::check_queue_name(queue)) return error;
  if (options.prefetch == 0 || options.prefetch > 65'536) {
    return Error(Errc::invalid_argument, "prefetch is not 1 to 65536");
  }
  if (options.concurrency == 0 || options.concurrency > 1024) {
    return Error(Errc::invalid_argument, "concurrency is not 1 to 1024");
  }
  if (Error error = switcher_->use_queue(queue)) return error;
  auto state = std::make_shared<ConsumerState>(
      shared_from_this(), ConsumeRequest{std::string(queue), options, handler});
  {
    const Lock lock(mutex_);
    if (closing_) return Error(Errc::closed, "the message queue is closed");
    std::erase_if(consumers_, [](const auto& consumer) { return consumer.expired(); });
    consumers_.push_back(state);
  }
  // Whoever adds a side adds it to all consumers: one of us two sees the other.
  for (const auto& side : sides()) state->consume_from(side);
  return state;
}

Result<std::shared_ptr<queue::Side>> Runtime::open_side(const switching::Member& member) {
  return opener_.open(member);
}

void Runtime::consume_from(const std::shared_ptr<queue::Side>& side) {
  std::vector<std::shared_ptr<ConsumerState>> consumers;
  {
    const Lock lock(mutex_);
    if (std::find(sides_.begin(), sides_.end(), side) == sides_.end()) sides_.push_back(side);
    consumers = living_consumers();
  }
  for (const auto& consumer : consumers) consumer->consume_from(side);
}

void Runtime::publish_to(const std::shared_ptr<queue::Side>& side) {
  const std::shared_ptr<queue::Side> before = route_.side();
  route_.change(side);
  // Nobody waits for what is over: neither for a session there, nor for the time of the next try.
  before->publish_sessions().turn_away();
  std::vector<std::shared_ptr<queue::Publisher>> publishers;
  {
    const Lock lock(mutex_);
    for (const auto& [name, publisher] : publishers_) publishers.push_back(publisher);
  }
  for (const auto& publisher : publishers) publisher->rerouted();
  async_.hurry();
}

std::size_t Runtime::unsettled(const queue::Side& side) {
  std::vector<std::shared_ptr<ConsumerState>> consumers;
  {
    const Lock lock(mutex_);
    consumers = living_consumers();
  }
  std::size_t sum = 0;
  for (const auto& consumer : consumers) sum += consumer->unsettled(side);
  return sum;
}

std::string Runtime::dead_letter_queue(std::string_view queue) {
  return collects_dead_letters(queue) ? std::string() : config_.queue(queue).dead_letter_queue;
}

Error Runtime::switch_to(std::string_view type, const SwitchOptions& options) {
  auto target = opener_.member(type);
  return target ? switcher_->ask(*target, options) : target.error();
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
  auto handle = admin->session->queue(queue, spec(queue));
  if (!handle) return handle.error();
  admin->queue = *handle;
  return admin;
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
