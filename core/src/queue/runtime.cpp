// SPDX-License-Identifier: MIT
#include "queue/runtime.h"

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <iterator>
#include <utility>

#include "config/queue_name.h"
#include "queue/clock.h"

namespace swapmq::detail {

using std::chrono::steady_clock;

namespace {

constexpr milliseconds keeper_period{250};
constexpr milliseconds keeper_patience{1000}; // for one call of service()

/// Who we are to brokers: host name, process and a random part, in letters that all of them take.
std::string instance_name() {
  std::array<char, 65> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host = {'h', 'o', 's', 't'};
  std::string name(host.data());
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '_') c = '-';
  }
  std::uint32_t random = 0;
  if (getrandom(&random, sizeof random, 0) != static_cast<ssize_t>(sizeof random)) {
    random = static_cast<std::uint32_t>(steady_clock::now().time_since_epoch().count());
  }
  std::array<char, 9> hex{};
  std::snprintf(hex.data(), hex.size(), "%08x", random);
  return name + "-" + std::to_string(getpid()) + "-" + hex.data();
}

queue::SideSetup setup_of(const config::Config& config,
                          std::shared_ptr<const plugin::Plugin> plugin) {
  queue::SideSetup setup;
  setup.name = config.type;
  setup.plugin = std::move(plugin);
  setup.options_json = config.active_options();
  setup.instance = instance_name();
  setup.pool = config.pool;
  setup.connection_timeout = config.connection_timeout;
  return setup;
}

} // namespace

Result<std::shared_ptr<Runtime>> Runtime::open(config::Config config) {
  plugin::LoadRequest request;
  request.name_or_path = config.type;
  request.plugin_path = config.plugin_path;
  if (const auto pin = config.sha256.find(config.type); pin != config.sha256.end()) {
    request.sha256 = pin->second;
  }
  auto plugin = plugin::Plugin::load(request);
  if (!plugin) return plugin.error();
  auto log = queue::Log::open(config.log_level, config.log_file);
  if (!log) return log.error();
  auto registry = std::make_shared<metrics::Registry>();
  auto side = queue::Side::open(setup_of(config, std::move(*plugin)), *log, registry);
  if (!side) return side.error();
  Registries registries{{config.type, std::move(registry)}};
  return std::shared_ptr<Runtime>(
      new Runtime(std::move(config), std::move(*log), std::move(registries), *side));
}

Runtime::Runtime(config::Config config, std::shared_ptr<queue::Log> log, Registries registries,
                 const std::shared_ptr<queue::Side>& side)
    : config_(std::move(config)),
      log_(std::move(log)),
      route_(side),
      async_(config_.pool.publish_sessions),
      registries_(std::move(registries)),
      sides_{side} {
  timekeeper_ = std::thread([this] { keep_time(); });
  keeper_ = std::thread([this] { keep(); });
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

Result<std::shared_ptr<queue::Publisher>> Runtime::publisher(std::string_view queue) {
  const Lock lock(mutex_);
  if (closed_) return Error(Errc::closed, "the message queue is closed");
  if (const auto found = publishers_.find(queue); found != publishers_.end()) {
    return found->second;
  }
  if (Error error = config::check_queue_name(queue)) return error;
  forget_idle_publishers();
  std::string name(queue);
  auto made = std::make_shared<queue::Publisher>(name, spec(queue), route_, async_);
  publishers_.emplace(std::move(name), made);
  return made;
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

void Runtime::turn_to(const std::shared_ptr<queue::Side>& side) {
  const std::shared_ptr<queue::Side> before = route_.side();
  std::vector<std::shared_ptr<ConsumerState>> consumers;
  {
    const Lock lock(mutex_);
    if (std::find(sides_.begin(), sides_.end(), side) == sides_.end()) sides_.push_back(side);
    consumers = living_consumers();
  }
  for (const auto& consumer : consumers) consumer->consume_from(side);
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

std::vector<Metric> Runtime::metrics() const {
  const Lock lock(mutex_);
  std::vector<Metric> all;
  for (const auto& [name, registry] : registries_) {
    std::vector<Metric> one = registry->snapshot(name);
    all.insert(all.end(), std::make_move_iterator(one.begin()), std::make_move_iterator(one.end()));
  }
  return all;
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
