// SPDX-License-Identifier: MIT
#include "queue/side.h"

#include <algorithm>
#include <new>
#include <utility>
#include <vector>

namespace swapmq::queue {

using std::chrono::steady_clock;

namespace {

/// What a plugin is lent: the log of the message queue, and the counters of its own side.
class PluginSink final : public plugin::HostSink {
 public:
  PluginSink(std::shared_ptr<Log> log, std::shared_ptr<metrics::Registry> registry)
      : log_(std::move(log)), registry_(std::move(registry)) {}

  bool log_enabled(int level) noexcept override {
    return log_->enabled(static_cast<LogLevel>(level));
  }
  void log(int level, std::string_view line) noexcept override {
    log_->write(static_cast<LogLevel>(level), line);
  }
  void count(std::string_view name, std::uint64_t amount) noexcept override {
    try {
      registry_->count(name, amount);
    } catch (const std::bad_alloc&) {
      log_->write(LogLevel::warning, "out of memory while counting");
    }
  }

 private:
  const std::shared_ptr<Log> log_;
  const std::shared_ptr<metrics::Registry> registry_;
};

constexpr std::size_t most_warm_queues = 256;

std::uint64_t next_serial() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

} // namespace

Result<std::shared_ptr<Side>> Side::open(const SideSetup& setup, std::shared_ptr<Log> log,
                                         std::shared_ptr<metrics::Registry> registry) {
  plugin::OpenRequest request;
  request.options_json = setup.options_json;
  request.instance = setup.instance;
  request.deadline = std::min(steady_clock::now() + setup.connection_timeout, setup.open_by);
  auto sink = std::make_shared<PluginSink>(std::move(log), registry);
  auto backend = plugin::Backend::open(setup.plugin, std::move(sink), request);
  if (!backend) return backend.error();
  return std::shared_ptr<Side>(new Side(setup, std::move(*backend), std::move(registry)));
}

Side::Side(const SideSetup& setup, std::shared_ptr<plugin::Backend> backend,
           std::shared_ptr<metrics::Registry> registry)
    : serial_(next_serial()),
      name_(setup.name),
      key_(setup.key),
      registry_(std::move(registry)),
      backend_(std::move(backend)),
      description_(backend_->plugin().description()),
      publish_session_count_(setup.pool.publish_sessions),
      publish_sessions_(backend_, SWAPMQ_ROLE_PUBLISH, setup.pool.publish_sessions,
                        setup.connection_timeout, registry_->backend().publish),
      admin_sessions_(backend_, SWAPMQ_ROLE_ADMIN, 1, setup.connection_timeout,
                      registry_->backend().admin) {
  description_.capabilities =
      plugin::capability_words(backend_->capabilities(), backend_->limits());
  description_.limits = plugin::limit_values(backend_->limits());
}

Side::~Side() { close(); }

Error Side::ping(Deadline deadline) {
  auto session = admin_sessions_.acquire(deadline);
  return session ? (*session)->ping(deadline) : session.error();
}

Error Side::warm_up(const QueueSpecs& queues, Deadline deadline) {
  std::vector<SessionPool::Lease> all;
  for (std::uint32_t i = 0; i < publish_session_count_; ++i) {
    auto session = publish_sessions_.acquire(deadline);
    if (!session) return session.error();
    std::size_t made = 0;
    for (const auto& [name, spec] : queues) {
      if (made++ >= most_warm_queues) break;
      auto queue = (*session)->queue(name, spec);
      if (!queue) return queue.error();
      if (Error error = (*session)->create_queue(*queue, deadline)) return error;
    }
    all.push_back(std::move(*session));
  }
  return {};
}

void Side::serve_idle(Deadline deadline) {
  publish_sessions_.service_idle(deadline);
  admin_sessions_.service_idle(deadline);
}

void Side::close() {
  publish_sessions_.close();
  admin_sessions_.close();
  backend_->close();
}

} // namespace swapmq::queue
