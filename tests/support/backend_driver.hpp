// SPDX-License-Identifier: MIT
//
// Drives the backend that a test is linked with, through its vtable alone, as a host does, with the
// convenience that tests want.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "swapmq/backend.h"

namespace swapmq::test {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

inline int64_t in(milliseconds time) {
  return std::chrono::nanoseconds((Clock::now() + time).time_since_epoch()).count();
}
inline int64_t unix_ms() {
  return std::chrono::duration_cast<milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}
inline std::string_view view(swapmq_bytes bytes) {
  return {static_cast<const char*>(bytes.data), static_cast<std::size_t>(bytes.size)};
}
inline swapmq_bytes bytes(std::string_view text) { return {text.data(), text.size()}; }

/// Polls a condition until it holds; false if it does not within `time`.
inline bool eventually(const std::function<bool()>& holds,
                       milliseconds time = milliseconds(10000)) {
  const auto end = Clock::now() + time;
  while (!holds()) {
    if (Clock::now() >= end) return false;
    std::this_thread::sleep_for(milliseconds(2));
  }
  return true;
}

/// A status with its text, as an error gives them.
struct Outcome {
  swapmq_status status = SWAPMQ_OK;
  uint32_t flags = 0;
  std::string text;
  [[nodiscard]] bool ok() const { return status == SWAPMQ_OK; }
};
inline std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  return out << "status " << outcome.status << ": " << outcome.text;
}

/// Calls with a swapmq_error and gives what came of it.
template <class Call>
Outcome outcome_of(Call&& call) {
  char text[512] = "";
  swapmq_error error{sizeof(swapmq_error), SWAPMQ_OK, 0, 0, sizeof text, 0, text};
  const swapmq_status status = call(&error);
  if (status == SWAPMQ_OK || status == SWAPMQ_INTERRUPTED) return {status, 0, ""};
  return {status, error.flags, std::string(text, error.message_length)};
}

inline const swapmq_backend_vtable& plugin() {
  static const swapmq_backend_vtable* table = swapmq_backend_entry(SWAPMQ_ABI_VERSION, nullptr);
  return *table;
}

inline const swapmq_host& quiet_host() {
  static const swapmq_host host{sizeof(swapmq_host),
                                SWAPMQ_ABI_VERSION,
                                nullptr,
                                [](void*, int32_t) -> int32_t { return 0; },
                                nullptr,
                                nullptr};
  return host;
}

class OpenedBackend {
 public:
  explicit OpenedBackend(const std::string& options, milliseconds patience = milliseconds(10000),
                         const swapmq_host& host = quiet_host()) {
    swapmq_open_args args{};
    args.struct_size = sizeof args;
    args.host = &host;
    args.options_json = bytes(options);
    args.instance = bytes("test");
    args.deadline_ns = in(patience);
    outcome = outcome_of([&](swapmq_error* e) { return plugin().open(&args, &backend, e); });
  }
  ~OpenedBackend() {
    if (backend != nullptr) plugin().close(backend);
  }
  OpenedBackend(const OpenedBackend&) = delete;
  OpenedBackend& operator=(const OpenedBackend&) = delete;

  swapmq_backend* backend = nullptr;
  Outcome outcome;
};

/// What a message is made of, owned.
struct Text {
  std::string id{};
  std::string body{};
  std::vector<std::pair<std::string, std::string>> headers{};
  int64_t due_at_ms = 0;
  int64_t expires_at_ms = 0;
  uint32_t priority = 0;
  uint32_t delivery_count = 0;
  std::string ordering_key{};
  std::string correlation_id{}, reply_to{}, content_type{};
  int64_t first_published_ms = 0;
};

struct Published {
  Outcome outcome;
  std::vector<swapmq_publish_result> results;
  [[nodiscard]] bool all(int32_t wanted) const {
    for (const auto& result : results) {
      if (result.outcome != wanted) return false;
    }
    return true;
  }
  [[nodiscard]] bool confirmed() const { return outcome.ok() && all(SWAPMQ_PUBLISH_CONFIRMED); }
};

class BatchPtr {
 public:
  BatchPtr() = default;
  explicit BatchPtr(swapmq_batch* batch) : batch_(batch) {}
  BatchPtr(BatchPtr&& other) noexcept : batch_(std::exchange(other.batch_, nullptr)) {}
  BatchPtr& operator=(BatchPtr&& other) noexcept {
    std::swap(batch_, other.batch_);
    return *this;
  }
  ~BatchPtr() {
    if (batch_ != nullptr) batch_->release(batch_);
  }
  [[nodiscard]] std::size_t size() const { return batch_ != nullptr ? batch_->count : 0; }
  const swapmq_delivery& operator[](std::size_t i) const { return batch_->deliveries[i]; }
  [[nodiscard]] std::string id(std::size_t i) const {
    return std::string(view(batch_->deliveries[i].message->id));
  }
  [[nodiscard]] std::string body(std::size_t i) const {
    return std::string(view(batch_->deliveries[i].message->body));
  }
  [[nodiscard]] std::vector<std::string> ids() const {
    std::vector<std::string> all;
    for (std::size_t i = 0; i < size(); ++i) all.push_back(id(i));
    return all;
  }

 private:
  swapmq_batch* batch_ = nullptr;
};

struct Exchanged {
  Outcome outcome;
  BatchPtr batch;
  std::vector<swapmq_status> statuses;
};

inline swapmq_settlement settlement(const swapmq_delivery& delivery, int32_t action,
                                    int64_t due_at_ms = 0) {
  swapmq_settlement made{};
  made.delivery = &delivery;
  made.action = action;
  made.due_at_ms = due_at_ms;
  made.header_size = sizeof(swapmq_header);
  return made;
}

class SessionPtr {
 public:
  explicit SessionPtr(const OpenedBackend& opened, int32_t role = SWAPMQ_ROLE_CONSUME,
                      milliseconds patience = milliseconds(10000)) {
    outcome = outcome_of([&](swapmq_error* e) {
      return plugin().session_open(opened.backend, role, in(patience), &session, e);
    });
  }
  ~SessionPtr() { close(); }
  SessionPtr(const SessionPtr&) = delete;
  SessionPtr& operator=(const SessionPtr&) = delete;

  void close() {
    if (session != nullptr) plugin().session_close(std::exchange(session, nullptr));
  }

  swapmq_queue* queue(std::string_view name, uint64_t max_length = 0) {
    swapmq_queue* made = nullptr;
    const swapmq_queue_spec spec{sizeof spec, 0, max_length};
    const Outcome opened = outcome_of([&](swapmq_error* e) {
      return plugin().queue_open(session, bytes(name), &spec, &made, e);
    });
    EXPECT_TRUE(opened.ok()) << opened;
    return made;
  }

  Published publish(swapmq_queue* queue, const std::vector<Text>& texts,
                    milliseconds patience = milliseconds(10000)) {
    std::vector<std::vector<swapmq_header>> headers(texts.size());
    std::vector<swapmq_message> messages(texts.size());
    for (std::size_t i = 0; i < texts.size(); ++i) {
      const Text& text = texts[i];
      for (const auto& [name, value] : text.headers) {
        headers[i].push_back({bytes(name), bytes(value)});
      }
      swapmq_message& message = messages[i];
      message = {};
      message.id = bytes(text.id);
      message.body = bytes(text.body);
      message.headers = headers[i].data();
      message.header_count = static_cast<uint32_t>(headers[i].size());
      message.header_size = sizeof(swapmq_header);
      message.timestamp_ms = 1700000000000 + static_cast<int64_t>(i);
      message.due_at_ms = text.due_at_ms;
      message.expires_at_ms = text.expires_at_ms;
      message.priority = text.priority;
      message.delivery_count = text.delivery_count;
      message.ordering_key = bytes(text.ordering_key);
      message.correlation_id = bytes(text.correlation_id);
      message.reply_to = bytes(text.reply_to);
      message.content_type = bytes(text.content_type);
      message.first_published_ms = text.first_published_ms;
    }
    Published published;
    published.results.resize(texts.size());
    swapmq_publish_args args{sizeof(swapmq_publish_args),
                             sizeof(swapmq_message),
                             sizeof(swapmq_publish_result),
                             0,
                             messages.data(),
                             messages.size(),
                             published.results.data(),
                             in(patience)};
    published.outcome =
        outcome_of([&](swapmq_error* e) { return plugin().publish(session, queue, &args, e); });
    return published;
  }
  /// Messages of which nothing but the id matters.
  Published publish_ids(swapmq_queue* queue, const std::vector<std::string>& ids) {
    std::vector<Text> texts;
    for (const std::string& id : ids) {
      texts.emplace_back();
      texts.back().id = id;
      texts.back().body = "body of " + id;
    }
    return publish(queue, texts);
  }

  swapmq_subscription* subscribe(swapmq_queue* queue, uint32_t prefetch = 1000,
                                 int64_t lease_ms = 0) {
    swapmq_subscription* made = nullptr;
    const swapmq_subscribe_args args{sizeof args, prefetch, lease_ms, in(milliseconds(10000))};
    const Outcome subscribed = outcome_of(
        [&](swapmq_error* e) { return plugin().subscribe(session, queue, &args, &made, e); });
    EXPECT_TRUE(subscribed.ok()) << subscribed;
    return made;
  }

  Exchanged exchange(swapmq_subscription* subscription,
                     const std::vector<swapmq_settlement>& settlements, uint64_t max_messages,
                     milliseconds patience = milliseconds(0), uint64_t max_bytes = 0) {
    Exchanged exchanged;
    exchanged.statuses.assign(settlements.size(), SWAPMQ_STATUS_UNTOUCHED);
    swapmq_exchange_args args{};
    args.struct_size = sizeof args;
    args.settlement_size = sizeof(swapmq_settlement);
    args.settlements = settlements.data();
    args.settlement_count = settlements.size();
    args.settlement_results = exchanged.statuses.data();
    args.max_messages = max_messages;
    args.max_bytes = max_bytes;
    args.deadline_ns = in(patience);
    swapmq_batch* batch = nullptr;
    exchanged.outcome = outcome_of([&](swapmq_error* e) {
      return plugin().exchange(session, subscription, &args, &batch, e);
    });
    exchanged.batch = BatchPtr(batch);
    return exchanged;
  }
  BatchPtr receive(swapmq_subscription* subscription, uint64_t max_messages,
                   milliseconds patience = milliseconds(0)) {
    Exchanged exchanged = exchange(subscription, {}, max_messages, patience);
    EXPECT_TRUE(exchanged.outcome.ok()) << exchanged.outcome;
    return std::move(exchanged.batch);
  }
  swapmq_status settle(swapmq_subscription* subscription, const swapmq_delivery& delivery,
                       int32_t action, int64_t due_at_ms = 0) {
    const Exchanged exchanged =
        exchange(subscription, {settlement(delivery, action, due_at_ms)}, 0);
    EXPECT_TRUE(exchanged.outcome.ok()) << exchanged.outcome;
    return exchanged.statuses[0];
  }
  void ack_all(swapmq_subscription* subscription, const BatchPtr& batch) {
    std::vector<swapmq_settlement> settlements;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      settlements.push_back(settlement(batch[i], SWAPMQ_SETTLE_ACK));
    }
    const Exchanged exchanged = exchange(subscription, settlements, 0);
    EXPECT_TRUE(exchanged.outcome.ok()) << exchanged.outcome;
    for (const swapmq_status status : exchanged.statuses) EXPECT_EQ(status, SWAPMQ_OK);
  }

  swapmq_queue_stats stats(swapmq_queue* queue) {
    swapmq_queue_stats stats{};
    stats.struct_size = sizeof stats;
    const Outcome read = outcome_of([&](swapmq_error* e) {
      return plugin().queue_stats(session, queue, &stats, in(milliseconds(10000)), e);
    });
    EXPECT_TRUE(read.ok()) << read;
    return stats;
  }

  swapmq_session* session = nullptr;
  Outcome outcome;
};

/// "ready/unacked/delayed"
inline std::string sizes(const swapmq_queue_stats& stats) {
  return std::to_string(stats.ready) + "/" + std::to_string(stats.unacked) + "/" +
         std::to_string(stats.delayed);
}

} // namespace swapmq::test
