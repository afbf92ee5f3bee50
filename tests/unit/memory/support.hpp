// SPDX-License-Identifier: MIT
//
// A host in small: what the tests need to drive the plugin through its vtable.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "swapmq/backend.hpp"

namespace swapmq::memory::test {

using namespace std::chrono_literals;

const swapmq_backend_vtable& vtable();

/// An absolute deadline of CLOCK_MONOTONIC.
int64_t after(std::chrono::nanoseconds wait);
inline constexpr auto kPatience = 20s; // for what is expected to happen; never waited out

/// A name that no other test uses, so that its store is its own.
std::string unique_name();

struct Error : swapmq_error {
  Error() : swapmq_error{sizeof(swapmq_error), 0, 0, 0, sizeof buffer, 0, buffer} {}
  Error(const Error&) = delete;
  Error& operator=(const Error&) = delete;
  [[nodiscard]] std::string text() const { return {buffer, message_length}; }
  char buffer[256] = {};
};

using HeaderList = std::vector<std::pair<std::string, std::string>>;

/// A message to publish, as values.
struct Draft {
  std::string id;
  std::string body;
  HeaderList headers;
  int64_t due_at_ms = 0;
  int64_t expires_at_ms = 0;
  uint32_t priority = 0;
  uint32_t delivery_count = 0;
  int64_t timestamp_ms = 1000;
  int64_t first_published_ms = 0;
  std::string ordering_key;
};
Draft draft(std::string id);

struct BatchRelease {
  void operator()(swapmq_batch* batch) const { batch->release(batch); }
};
/// Deliveries as the host got them.
class Deliveries {
 public:
  Deliveries() = default;
  Deliveries(swapmq_batch* batch, swapmq_status status) : batch_(batch), status_(status) {}

  [[nodiscard]] swapmq_status status() const { return status_; }
  [[nodiscard]] std::size_t size() const { return batch_ ? batch_->count : 0; }
  [[nodiscard]] bool empty() const { return size() == 0; }
  [[nodiscard]] const swapmq_delivery& operator[](std::size_t i) const {
    return batch_->deliveries[i];
  }
  [[nodiscard]] std::string id(std::size_t i) const;
  [[nodiscard]] std::string body(std::size_t i) const;
  [[nodiscard]] HeaderList headers(std::size_t i) const;
  [[nodiscard]] std::vector<std::string> ids() const;

 private:
  std::unique_ptr<swapmq_batch, BatchRelease> batch_;
  swapmq_status status_ = SWAPMQ_OK;
};

class Backend {
 public:
  explicit Backend(const std::string& options = "{}");
  /// A store of its own, with more options such as R"(,"max_messages":3)".
  static Backend own(const std::string& more = "");
  Backend(Backend&& other) noexcept : backend_(std::exchange(other.backend_, nullptr)) {}
  ~Backend() { close(); }

  void close();
  [[nodiscard]] swapmq_backend* get() const { return backend_; }

 private:
  swapmq_backend* backend_ = nullptr;
};

class Session {
 public:
  explicit Session(const Backend& backend, int32_t role = SWAPMQ_ROLE_CONSUME);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() { close(); }

  void close();
  [[nodiscard]] swapmq_session* get() const { return session_; }

  swapmq_queue* queue(std::string_view name, uint64_t max_length = 0, uint32_t flags = 0);
  void create(swapmq_queue* queue);
  void remove(swapmq_queue* queue);
  uint64_t purge(swapmq_queue* queue);
  swapmq_queue_stats stats(swapmq_queue* queue);
  std::vector<std::string> list();
  void interrupt() { vtable().interrupt(session_); }

  std::vector<swapmq_publish_result> publish(swapmq_queue* queue, const std::vector<Draft>& drafts);
  /// Publishes and expects that all is confirmed.
  void put(swapmq_queue* queue, const std::vector<Draft>& drafts);
  void put(swapmq_queue* queue, const std::vector<std::string>& ids);

  swapmq_subscription* subscribe(swapmq_queue* queue, uint32_t prefetch = 1000);
  void unsubscribe(swapmq_subscription* subscription) {
    vtable().unsubscribe(session_, subscription);
  }
  Deliveries receive(swapmq_subscription* subscription, std::size_t count,
                     std::chrono::nanoseconds wait = 0ns, uint64_t max_bytes = 0);
  /// Receives until it has `count`, or patience ends; returns the ids and acks all.
  std::vector<std::string> drain(swapmq_subscription* subscription, std::size_t count);

  swapmq_status settle(swapmq_subscription* subscription, const swapmq_delivery& delivery,
                       int32_t action, int64_t due_at_ms = 0);
  swapmq_status ack(swapmq_subscription* subscription, const swapmq_delivery& delivery) {
    return settle(subscription, delivery, SWAPMQ_SETTLE_ACK);
  }
  swapmq_status dead_letter(swapmq_subscription* subscription, const swapmq_delivery& delivery,
                            swapmq_queue* target, const HeaderList& added = {});
  std::vector<swapmq_status> settle(swapmq_subscription* subscription,
                                    const std::vector<swapmq_settlement>& settlements);

 private:
  swapmq_session* session_ = nullptr;
};

/// ready, unacked, delayed.
struct Sizes {
  uint64_t ready;
  uint64_t unacked;
  uint64_t delayed;
  bool operator==(const Sizes&) const = default;
};
std::ostream& operator<<(std::ostream& out, const Sizes& sizes);
Sizes sizes(Session& session, swapmq_queue* queue);

} // namespace swapmq::memory::test
