// SPDX-License-Identifier: MIT
//
// Backends, sessions, subscriptions and deliveries of the plugin under test as C++ values: thin,
// so that what the plugin does is what the test sees. What must not happen throws Breach.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "breach.h"
#include "message.h"
#include "probe.h"

namespace swapmq::contract {

/// Deliveries as the plugin handed them out, released at the end.
class Batch {
 public:
  Batch() = default;
  explicit Batch(swapmq_batch* batch) : batch_(batch) {}
  Batch(Batch&& other) noexcept : batch_(other.take()) {}
  Batch& operator=(Batch&& other) noexcept;
  ~Batch() { release(); }

  void release();
  swapmq_batch* take() noexcept { return std::exchange(batch_, nullptr); }
  [[nodiscard]] std::size_t size() const;
  const swapmq_delivery& operator[](std::size_t i) const;

 private:
  swapmq_batch* batch_ = nullptr;
};

/// What several exchanges brought, in order.
class Deliveries {
 public:
  void add(Batch batch);
  /// Releases every batch; nothing of it may be looked at any more.
  void clear();
  /// The batches, to be released elsewhere. The deliveries stay usable until then.
  std::vector<Batch> take_batches() { return std::move(batches_); }

  [[nodiscard]] std::size_t size() const { return all_.size(); }
  [[nodiscard]] bool empty() const { return all_.empty(); }
  const swapmq_delivery& operator[](std::size_t i) const { return *all_[i]; }
  [[nodiscard]] auto begin() const { return all_.begin(); } ///< of pointers
  [[nodiscard]] auto end() const { return all_.end(); }
  [[nodiscard]] std::string body(std::size_t i) const;
  [[nodiscard]] std::vector<std::string> bodies() const;

 private:
  std::vector<Batch> batches_;
  std::vector<const swapmq_delivery*> all_;
};

std::string body_of(const swapmq_delivery& delivery);
std::string id_of(const swapmq_delivery& delivery);

swapmq_settlement ack(const swapmq_delivery& delivery);
swapmq_settlement nack(const swapmq_delivery& delivery, std::int64_t due_at_ms = 0);
swapmq_settlement release(const swapmq_delivery& delivery);
swapmq_settlement dead_letter(const swapmq_delivery& delivery, swapmq_queue* target);

/// One exchange, and all that it said.
struct Exchanged {
  swapmq_status status = SWAPMQ_OK;
  std::string error;
  std::vector<swapmq_status> settled;
  Batch batch;
  Clock::duration took{};
};

struct SessionHandle; // shared by a session and its subscriptions

class Subscription {
 public:
  Subscription(std::shared_ptr<SessionHandle> session, swapmq_subscription* raw)
      : session_(std::move(session)), raw_(raw) {}
  Subscription(Subscription&& other) noexcept;
  Subscription& operator=(Subscription&& other) noexcept;
  ~Subscription() { unsubscribe(); }

  void unsubscribe();
  [[nodiscard]] swapmq_subscription* raw() const { return raw_; }

  /// Any status is returned; what the batch holds is checked against what was asked for.
  Exchanged exchange(std::span<const swapmq_settlement> settlements, std::uint64_t max_messages,
                     std::int64_t deadline_ns, std::uint64_t max_bytes = 0,
                     std::uint32_t flags = 0);
  /// What one exchange brings; a failure is a Breach.
  Batch poll(std::uint64_t max_messages, milliseconds wait, std::uint64_t max_bytes = 0);
  /// Exactly `count`, in as many exchanges as it takes, or a Breach.
  Deliveries receive(std::size_t count);
  void receive(std::size_t count, Deliveries& into);
  /// What comes until `quiet` passes without anything.
  Deliveries receive_until_quiet(milliseconds quiet, std::size_t most = 1000000);

  /// swapmq.claim_delayed/1, which the plugin must have. Any status is returned.
  Exchanged try_claim(std::uint64_t max_messages, std::int64_t deadline_ns,
                      std::uint64_t max_bytes = 0);
  /// What one claim brings; a failure is a Breach.
  Batch claim(std::uint64_t max_messages, std::uint64_t max_bytes = 0);

  /// Without receiving; a failure of the call is a Breach.
  std::vector<swapmq_status> settle(std::span<const swapmq_settlement> settlements);
  swapmq_status settle(const swapmq_settlement& settlement);
  /// Acks all of it, or a Breach.
  void ack_all(const Deliveries& deliveries);

 private:
  std::shared_ptr<SessionHandle> session_;
  swapmq_subscription* raw_;
};

class Session {
 public:
  Session(swapmq_backend* backend, std::int32_t role);
  Session(Session&&) noexcept = default;
  Session& operator=(Session&& other) noexcept;
  ~Session() { close(); }

  /// Subscriptions of it need no unsubscribe() any more, and get none.
  void close();
  [[nodiscard]] swapmq_session* raw() const;

  swapmq_queue* queue(std::string_view name, std::uint64_t max_length = 0, std::uint32_t flags = 0);
  swapmq_status try_queue(std::string_view name, const swapmq_queue_spec& spec,
                          swapmq_queue** queue);
  void create(swapmq_queue* queue);
  void remove(swapmq_queue* queue);
  swapmq_queue_stats stats(swapmq_queue* queue);
  std::uint64_t purge(swapmq_queue* queue);
  /// swapmq.peek/1, which the plugin must have. Any status is returned.
  Exchanged try_peek(swapmq_queue* queue, std::uint64_t max_messages, std::uint64_t max_bytes = 0);
  /// What one look brings; a failure is a Breach.
  Deliveries peek(swapmq_queue* queue, std::uint64_t max_messages, std::uint64_t max_bytes = 0);
  void ping();
  void service();
  void interrupt();

  /// All of the call; a status other than OK is a Breach.
  std::vector<swapmq_publish_result> publish(swapmq_queue* queue,
                                             std::span<const Message> messages);
  swapmq_status publish(swapmq_queue* queue, Wire& wire,
                        std::vector<swapmq_publish_result>& results, std::int64_t deadline_ns);
  swapmq_status publish(swapmq_queue* queue, std::span<const Message> messages,
                        std::vector<swapmq_publish_result>& results, std::int64_t deadline_ns);
  /// Every one confirmed, or a Breach. Splits what is more than a batch may be.
  void confirm(swapmq_queue* queue, std::span<const Message> messages);
  void confirm(swapmq_queue* queue, const Message& message) { confirm(queue, {&message, 1}); }

  Subscription subscribe(swapmq_queue* queue, std::uint32_t prefetch,
                         milliseconds lease = milliseconds(0));

 private:
  std::shared_ptr<SessionHandle> handle_;
};

/// The plugin's, or NULL if it has none.
const swapmq_claim_delayed* claim_table();
const swapmq_peek* peek_table();

class LentHost; // the services that an opened backend may use

class Backend {
 public:
  Backend();
  Backend(const Backend&) = delete;
  Backend& operator=(const Backend&) = delete;
  ~Backend() { close(); }

  void open(); ///< again, after close()
  void close();
  [[nodiscard]] swapmq_backend* raw() const { return raw_; }
  Session session(std::int32_t role) { return {raw_, role}; }

 private:
  std::shared_ptr<LentHost> host_;
  swapmq_backend* raw_ = nullptr;
};

/// The arguments of an open with this run's options; `host` outlives what is opened.
swapmq_open_args open_args(const swapmq_host& host);
/// Services that do nothing.
const swapmq_host& silent_host();

} // namespace swapmq::contract
