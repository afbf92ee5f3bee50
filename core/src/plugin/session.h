// SPDX-License-Identifier: MIT
//
// The core's side of the ABI: an opened backend and its sessions as C++ values. Every call is
// checked here on its way back: statuses are known ones, counts are not more than asked, sizes and
// pointers are plausible; what breaks the contract becomes an Errc::internal that names the plugin
// and the rule. Threads: a Backend is any-thread; a Session as the ABI says ([session-thread]),
// interrupt() from any thread.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "plugin/plugin.h"
#include "thread_safety.h"

namespace swapmq::plugin {

using Deadline = std::chrono::steady_clock::time_point;

/// What a host lends to a plugin; outlives the Backend.
class HostSink {
 public:
  virtual ~HostSink() = default;
  virtual bool log_enabled(int level) noexcept = 0;
  virtual void log(int level, std::string_view line) noexcept = 0;
  virtual void count(std::string_view name, std::uint64_t amount) noexcept = 0;
};

struct BatchRelease {
  void operator()(swapmq_batch* batch) const noexcept { batch->release(batch); }
};
/// Deliveries of a plugin, checked; its release may run on any thread.
using BatchPtr = std::unique_ptr<swapmq_batch, BatchRelease>;

inline const swapmq_delivery& delivery_at(const swapmq_batch& batch, std::size_t i) {
  const auto* first = reinterpret_cast<const std::byte*>(batch.deliveries);
  return *reinterpret_cast<const swapmq_delivery*>(first + i * batch.delivery_size);
}

struct Received {
  Error error;              ///< ok also when interrupted
  bool interrupted = false; ///< no deliveries, since interrupt() ended the wait
  bool session_dead = false;
  BatchPtr batch; ///< null: none came
};

class Backend;
class CallChecker;
class ErrorBuffer;

class Session {
 public:
  ~Session(); ///< closes it
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// A handle that lives as long as the session; the same name gives the same one.
  Result<swapmq_queue*> queue(std::string_view name, const swapmq_queue_spec& spec);
  /// How many it has; they go with the session only.
  [[nodiscard]] std::size_t queue_count() const { return queues_.size(); }

  Error ping(Deadline deadline);
  Error create_queue(swapmq_queue* queue, Deadline deadline);
  Error delete_queue(swapmq_queue* queue, Deadline deadline);
  Result<swapmq_queue_stats> queue_stats(swapmq_queue* queue, Deadline deadline);
  Result<std::uint64_t> purge_queue(swapmq_queue* queue, Deadline deadline);
  /// On return every result has an outcome: what a failed call left untouched is failed with its
  /// status. results.size() == messages.size(). The error is that of the call as a whole,
  /// or says what is too large of the first message that is.
  Error publish(swapmq_queue* queue, std::span<const swapmq_message> messages,
                std::span<swapmq_publish_result> results, Deadline deadline);
  Result<swapmq_subscription*> subscribe(swapmq_queue* queue, std::uint32_t prefetch,
                                         std::chrono::milliseconds lease, Deadline deadline);
  /// settled.size() == settlements.size(); what was not tried stays SWAPMQ_STATUS_UNTOUCHED, what
  /// is PENDING is to be given again.
  Received exchange(swapmq_subscription* subscription,
                    std::span<const swapmq_settlement> settlements,
                    std::span<swapmq_status> settled, std::size_t max_messages,
                    std::uint64_t max_bytes, Deadline deadline);
  void unsubscribe(swapmq_subscription* subscription);
  Error service(Deadline deadline);
  void interrupt();
  /// not_supported if the plugin lacks swapmq.list_queues/1.
  Error list_queues(const std::function<void(std::string_view)>& each, Deadline deadline);
  /// Whether the plugin has swapmq.claim_delayed/1; its options may forbid it all the same.
  [[nodiscard]] bool can_claim_delayed() const;
  /// What waits for its time, earliest due first, as deliveries of the subscription. Does not wait
  /// for any: batch is null if there are none. not_supported as the error if the plugin cannot.
  Received claim_delayed(swapmq_subscription* subscription, std::size_t max_messages,
                         std::uint64_t max_bytes, Deadline deadline);

  /// What is ready, as it would be delivered, and stays where it is. Does not wait for any: batch
  /// is null if there are none. not_supported as the error if the plugin cannot.
  Received peek(swapmq_queue* queue, std::size_t max_messages, std::uint64_t max_bytes,
                Deadline deadline);

  /// The last error said that this session cannot be repaired: close it and open another.
  [[nodiscard]] bool dead() const { return dead_; }
  /// When a call of it last ended, for those who call service().
  [[nodiscard]] Deadline last_used() const { return last_used_; }

 private:
  friend class Backend;
  Session(std::shared_ptr<Backend> backend, swapmq_session* handle);

  /// Calls the plugin: function(swapmq_error*) -> swapmq_status. `deadline` null: may not block.
  template <class Function>
  Error call(const char* slot, const Deadline* deadline, Function&& function);
  Error call_ended(const char* slot, swapmq_status status, const ErrorBuffer& buffer);
  /// Of an extension, checked. Errors: not_supported, the plugin lacks it; internal.
  template <class Table, class Slot>
  Result<const Table*> extension_table(const char* name, Slot Table::*slot, const char* slot_name,
                                       const char* lacking);
  /// What function(max_messages, swapmq_batch**, swapmq_error*) -> swapmq_status hands out.
  template <class Call>
  Received receive_by(const char* name, std::size_t max_messages, Deadline deadline,
                      const Call& function);
  /// One call of the plugin: a run of messages that fits its limits. Sets `not_sent`, the result of
  /// all that comes after them, if the call failed.
  Error publish_run(swapmq_queue* queue, std::span<const swapmq_message> messages,
                    std::span<swapmq_publish_result> results, Deadline deadline,
                    std::optional<swapmq_publish_result>& not_sent);
  Error check_results(swapmq_status status, const ErrorBuffer& buffer,
                      std::span<swapmq_publish_result> results);
  void check_settled(bool succeeded, bool may_pend, std::span<swapmq_status> settled);
  Error take_batch(const char* slot, swapmq_status status, swapmq_batch* batch,
                   std::size_t max_messages, Received& received);
  Error broken(const char* slot, std::string_view rule); ///< logs it, too
  [[nodiscard]] const swapmq_backend_vtable& vtable() const;

  std::shared_ptr<Backend> backend_; ///< a backend outlives its sessions
  swapmq_session* handle_;
  std::unique_ptr<CallChecker> checker_; ///< null: calls are not checked
  std::unordered_map<std::string, swapmq_queue*> queues_;
  bool dead_ = false;
  Deadline last_used_{};
};

struct OpenRequest {
  std::string options_json; ///< secrets resolved
  std::string instance;     ///< [A-Za-z0-9._-]+
  Deadline deadline;
};

class Backend : public std::enable_shared_from_this<Backend> {
 public:
  static Result<std::shared_ptr<Backend>> open(std::shared_ptr<const Plugin> plugin,
                                               std::shared_ptr<HostSink> sink,
                                               const OpenRequest& request);
  ~Backend(); ///< all sessions are gone by then, since they hold it
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;

  /// Errors: those of the plugin; closed.
  Result<std::unique_ptr<Session>> open_session(std::int32_t role, Deadline deadline)
      SWAPMQ_EXCLUDES(mutex_);
  /// Closes it, at once or with its last session; no other is opened.
  void close() SWAPMQ_EXCLUDES(mutex_);

  /// As options made them (describe), not the plugin's static ones.
  [[nodiscard]] const swapmq_capabilities& capabilities() const { return capabilities_; }
  [[nodiscard]] const swapmq_limits& limits() const { return limits_; }
  [[nodiscard]] const Plugin& plugin() const { return *plugin_; }

 private:
  friend class Session;
  Backend(std::shared_ptr<const Plugin> plugin, std::shared_ptr<HostSink> sink);
  Error describe();
  bool enter() SWAPMQ_EXCLUDES(mutex_); ///< false: it is closed
  void leave() SWAPMQ_EXCLUDES(mutex_);

  std::shared_ptr<const Plugin> plugin_;
  std::shared_ptr<HostSink> sink_;
  swapmq_host host_{};
  swapmq_backend* handle_ = nullptr;
  Mutex mutex_;
  std::size_t users_ SWAPMQ_GUARDED_BY(mutex_) = 0; ///< sessions, and those being opened
  bool closing_ SWAPMQ_GUARDED_BY(mutex_) = false;  ///< with the last user
  swapmq_capabilities capabilities_{};
  swapmq_limits limits_{};
};

} // namespace swapmq::plugin
