// SPDX-License-Identifier: MIT
//
// One side of a switch: an open backend with the sessions and the books that belong to it. Without
// a switch a message queue has one.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "config/config.h"
#include "metrics/metrics.h"
#include "plugin/session.h"
#include "queue/log.h"
#include "queue/session_pool.h"

namespace swapmq::queue {

/// Of a backend that is to be opened.
struct SideSetup {
  std::string name; ///< the word of the config
  std::string key;  ///< as a switch knows it: two sides of one key look at the same queues
  std::shared_ptr<const plugin::Plugin> plugin;
  std::string options_json; ///< secrets resolved
  std::string instance;     ///< who we are to the broker
  config::Pool pool;
  std::chrono::milliseconds connection_timeout{};
  Deadline open_by = Deadline::max(); ///< of opening the backend, if that is before the timeout
};

/// Any thread. Whoever holds it keeps it open, unless it was closed.
class Side {
 public:
  /// Loads nothing, opens the backend; blocks up to the connection timeout. Errors: the plugin's.
  static Result<std::shared_ptr<Side>> open(const SideSetup& setup, std::shared_ptr<Log> log,
                                            std::shared_ptr<metrics::Registry> registry);
  ~Side();
  Side(const Side&) = delete;
  Side& operator=(const Side&) = delete;

  /// No two sides of a process have the same; none has 0.
  [[nodiscard]] std::uint64_t serial() const { return serial_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& key() const { return key_; }
  /// The plugin's, with what the options made of its capabilities.
  [[nodiscard]] const PluginDescription& description() const { return description_; }
  [[nodiscard]] plugin::Backend& backend() const { return *backend_; }
  [[nodiscard]] const std::shared_ptr<plugin::Backend>& shared_backend() const { return backend_; }
  [[nodiscard]] SessionPool& publish_sessions() { return publish_sessions_; }
  [[nodiscard]] SessionPool& admin_sessions() { return admin_sessions_; }
  [[nodiscard]] metrics::Registry& metrics() const { return *registry_; }

  /// A round trip to the broker.
  Error ping(Deadline deadline);
  using QueueSpecs = std::map<std::string, swapmq_queue_spec, std::less<>>;
  /// Opens all the sessions that publishers share, and makes these queues (the first of them, if
  /// there are many) known to each, so that no publish waits for that later.
  Error warm_up(const QueueSpecs& queues, Deadline deadline);
  /// From time to time: what lies idle is served.
  void serve_idle(Deadline deadline);
  /// Whether consumers may begin to consume here; not yet, to begin with.
  void let_consume(bool yes) { consumed_ = yes; }
  [[nodiscard]] bool consumed() const { return consumed_; }
  /// Closes the sessions that lie idle, and the backend with its last session.
  void close();

  /// When the newest message that was ever delivered from here was published: unix, in
  /// milliseconds, by the clock of whoever did.
  [[nodiscard]] std::int64_t newest_ms() const { return newest_ms_.load(); }
  void note_newest(std::int64_t unix_ms) {
    std::int64_t known = newest_ms_.load(std::memory_order_relaxed);
    while (known < unix_ms && !newest_ms_.compare_exchange_weak(known, unix_ms)) {
    }
  }

  /// Publish calls under way here; see Route.
  [[nodiscard]] std::size_t in_flight() const { return in_flight_.load(); }

 private:
  friend class Route;
  Side(const SideSetup& setup, std::shared_ptr<plugin::Backend> backend,
       std::shared_ptr<metrics::Registry> registry);

  const std::uint64_t serial_;
  const std::string name_, key_;
  const std::shared_ptr<metrics::Registry> registry_;
  const std::shared_ptr<plugin::Backend> backend_;
  PluginDescription description_;
  const std::uint32_t publish_session_count_;
  SessionPool publish_sessions_, admin_sessions_;
  std::atomic<std::size_t> in_flight_{0};
  std::atomic<std::int64_t> newest_ms_{0};
  std::atomic<bool> consumed_{false};
};

} // namespace swapmq::queue
