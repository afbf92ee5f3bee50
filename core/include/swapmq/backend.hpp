// SPDX-License-Identifier: MIT
//
// C++ glue for backend authors: derive one class, swapmq::backend::Session, and no exception ever
// crosses the C ABI of <swapmq/backend.h>.
//
//   struct Broker {                                  // what the sessions of one backend share
//     explicit Broker(const swapmq::backend::OpenArgs& args);
//   };
//   class MySession final : public swapmq::backend::Session {
//    public:
//     using Shared = Broker;
//     MySession(Broker& broker, int32_t role, swapmq::backend::Deadline deadline);
//     ... override what Session declares ...
//   };
//   SWAPMQ_DEFINE_BACKEND(MySession, my_plugin_info)
//
// A method reports an error by throwing Failure. Threads, blocking, ownership and the meaning of
// every operation are as <swapmq/backend.h> says of the vtable slot of the same name. Optional:
//   static const void* MySession::extension(const char* name);
//   void Broker::describe(swapmq_capabilities&, swapmq_limits&);
//   void MySession::list_queues(const QueueVisitor&, Deadline);   // gives swapmq.list_queues/1
//   std::unique_ptr<Batch> MySession::claim_delayed(Subscription&, const ClaimArgs&);  // gives
//                                                   // swapmq.claim_delayed/1; null: none waits
//   std::unique_ptr<Batch> MySession::peek(Queue&, const PeekArgs&);  // gives swapmq.peek/1; null:
//                                                   // none is ready
#ifndef SWAPMQ_BACKEND_HPP
#define SWAPMQ_BACKEND_HPP

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "swapmq/backend.h"

namespace swapmq::backend {

// ---- small vocabulary ---------------------------------------------------------------------------

inline std::string_view view(swapmq_bytes bytes) {
  if (bytes.size == 0) return {};
  return {static_cast<const char*>(bytes.data), static_cast<std::size_t>(bytes.size)};
}

inline swapmq_bytes bytes(std::string_view text) { return {text.data(), text.size()}; }

inline int64_t unix_now_ms() {
  using std::chrono::milliseconds;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<milliseconds>(now).count();
}

/// An absolute point of CLOCK_MONOTONIC, which std::chrono::steady_clock is on Linux.
class Deadline {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Deadline(int64_t monotonic_ns) : at_(std::chrono::nanoseconds(monotonic_ns)) {}

  [[nodiscard]] Clock::time_point at() const { return at_; }
  [[nodiscard]] bool passed() const { return Clock::now() >= at_; }
  /// Whole milliseconds left, rounded up, never negative and at most `cap`: for poll().
  [[nodiscard]] int left_ms(int cap = std::numeric_limits<int>::max()) const {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(at_ - Clock::now()).count();
    return static_cast<int>(std::clamp<int64_t>(left, 0, cap));
  }

 private:
  Clock::time_point at_;
};

/// Thrown by an author's code; the glue turns it into a status and a text.
class Failure : public std::exception {
 public:
  Failure(swapmq_status status, std::string message, uint32_t flags = 0,
          uint32_t retry_after_ms = 0)
      : status_(status),
        flags_(flags),
        retry_after_ms_(retry_after_ms),
        message_(std::move(message)) {}

  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }
  [[nodiscard]] swapmq_status status() const noexcept { return status_; }
  [[nodiscard]] uint32_t flags() const noexcept { return flags_; }
  [[nodiscard]] uint32_t retry_after_ms() const noexcept { return retry_after_ms_; }

 private:
  swapmq_status status_;
  uint32_t flags_;
  uint32_t retry_after_ms_;
  std::string message_;
};

/// Writes an error into the caller's memory; keeps within its capacity.
inline swapmq_status fill_error(swapmq_error* error, swapmq_status status, std::string_view message,
                                uint32_t flags = 0, uint32_t retry_after_ms = 0) noexcept {
  if (error == nullptr) return status;
  error->status = status;
  error->flags = flags;
  error->retry_after_ms = retry_after_ms;
  error->message_length = 0;
  if (error->message == nullptr || error->message_capacity == 0) return status;
  const std::size_t length = std::min<std::size_t>(message.size(), error->message_capacity - 1);
  if (length > 0) std::memcpy(error->message, message.data(), length);
  error->message[length] = '\0';
  error->message_length = static_cast<uint32_t>(length);
  return status;
}

/// A view of an array whose elements may be larger than T is here (a newer writer).
template <class T>
class Strided {
  using Byte = std::conditional_t<std::is_const_v<T>, const std::byte, std::byte>;

 public:
  Strided() = default;
  Strided(T* first, uint64_t count, std::size_t stride)
      : first_(reinterpret_cast<Byte*>(first)),
        count_(static_cast<std::size_t>(count)),
        stride_(stride) {}

  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  T& operator[](std::size_t i) const { return *reinterpret_cast<T*>(first_ + i * stride_); }

 private:
  Byte* first_ = nullptr;
  std::size_t count_ = 0;
  std::size_t stride_ = sizeof(T);
};

using Messages = Strided<const swapmq_message>;
using PublishResults = Strided<swapmq_publish_result>;
using Settlements = Strided<const swapmq_settlement>;
using Headers = Strided<const swapmq_header>;

inline Headers headers_of(const swapmq_message& message) {
  return {message.headers, message.header_count, message.header_size};
}
inline Headers headers_of(const swapmq_settlement& settlement) {
  return {settlement.headers, settlement.header_count, settlement.header_size};
}

inline swapmq_publish_result confirmed() { return {SWAPMQ_PUBLISH_CONFIRMED, SWAPMQ_OK, 0, 0}; }
inline swapmq_publish_result failed(swapmq_status why, uint32_t flags = 0) {
  return {SWAPMQ_PUBLISH_FAILED, why, flags, 0};
}
inline swapmq_publish_result in_doubt(swapmq_status why) {
  return {SWAPMQ_PUBLISH_IN_DOUBT, why, SWAPMQ_ERROR_RETRYABLE, 0};
}

/// What a delivery becomes in the queue that it is dead-lettered to, for a plugin that moves it by
/// a copy: its id, body and fields; the settlement's headers, which replace those of the same name.
/// It waits for a person to look at it, so neither a ttl nor a delay hides it, and its deliveries
/// are counted anew. Borrows both.
class DeadLetter {
 public:
  explicit DeadLetter(const swapmq_settlement& settlement)
      : message_(*settlement.delivery->message) {
    const Headers added = headers_of(settlement);
    const Headers own = headers_of(message_);
    headers_.reserve(own.size() + added.size());
    for (std::size_t i = 0; i < own.size(); ++i) {
      if (!has(added, view(own[i].name))) headers_.push_back(own[i]);
    }
    for (std::size_t i = 0; i < added.size(); ++i) headers_.push_back(added[i]);
    message_.headers = headers_.empty() ? nullptr : headers_.data();
    message_.header_count = static_cast<uint32_t>(headers_.size());
    message_.header_size = sizeof(swapmq_header);
    message_.due_at_ms = message_.expires_at_ms = 0;
    message_.delivery_count = 0;
  }
  DeadLetter(DeadLetter&&) = default; // the headers stay where they are
  DeadLetter& operator=(DeadLetter&&) = delete;
  DeadLetter(const DeadLetter&) = delete;
  DeadLetter& operator=(const DeadLetter&) = delete;
  ~DeadLetter() = default;

  [[nodiscard]] const swapmq_message& message() const { return message_; }

 private:
  static bool has(const Headers& headers, std::string_view name) {
    for (std::size_t i = 0; i < headers.size(); ++i) {
      if (view(headers[i].name) == name) return true;
    }
    return false;
  }

  swapmq_message message_;
  std::vector<swapmq_header> headers_;
};

/// What the host lends, made pleasant. Copyable; valid until the backend is closed.
class Host {
 public:
  explicit Host(const swapmq_host* host) : host_(host) {}

  [[nodiscard]] bool logs(int32_t level) const {
    return host_ != nullptr && host_->log != nullptr &&
           (host_->log_enabled == nullptr || host_->log_enabled(host_->context, level) != 0);
  }
  void log(int32_t level, std::string_view line) const {
    if (logs(level)) host_->log(host_->context, level, bytes(line));
  }
  void count(const char* name, uint64_t amount = 1) const {
    if (host_ != nullptr && host_->count != nullptr) host_->count(host_->context, name, amount);
  }

 private:
  const swapmq_host* host_;
};

/// The arguments of open(); the views are valid while the Shared is constructed.
struct OpenArgs {
  Host host;
  std::string_view options_json;
  std::string_view instance;
  Deadline deadline;
};

// ---- what an author derives from ----------------------------------------------------------------

/// A queue's handle within a session; derive to keep what is encoded once.
class Queue {
 public:
  Queue() = default;
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;
  virtual ~Queue() = default;
};

/// A consumer of a queue within a session; derive to keep its state.
class Subscription {
 public:
  Subscription() = default;
  Subscription(const Subscription&) = delete;
  Subscription& operator=(const Subscription&) = delete;
  virtual ~Subscription() = default;
};

/// Deliveries handed to the host. Derive to own what they point at; the host deletes it by
/// release(), on any thread, perhaps after the backend is gone.
class Batch {
 public:
  Batch() = default;
  Batch(const Batch&) = delete;
  Batch& operator=(const Batch&) = delete;
  virtual ~Batch() = default;

  void reserve(std::size_t count) { deliveries_.reserve(count); }
  [[nodiscard]] std::size_t size() const { return deliveries_.size(); }

  /// Adds a delivery; the message must live as long as this batch. The receipt is copied.
  void add(const swapmq_message* message, std::string_view receipt, uint32_t delivery_count,
           uint32_t flags = 0) {
    swapmq_delivery delivery{};
    delivery.message = message;
    delivery.delivery_count = delivery_count;
    delivery.flags = flags;
    delivery.receipt.size = static_cast<uint32_t>(receipt.size());
    if (receipt.size() > SWAPMQ_RECEIPT_BYTES) {
      throw Failure(SWAPMQ_INTERNAL, "a receipt is longer than the ABI allows");
    }
    std::memcpy(delivery.receipt.bytes, receipt.data(), receipt.size());
    deliveries_.push_back(delivery);
  }

 private:
  template <class S>
  friend struct Trampolines;
  struct Handle : swapmq_batch {
    Batch* self;
  };
  static void release(swapmq_batch* batch) { delete static_cast<Handle*>(batch)->self; }

  static swapmq_batch* hand_out(std::unique_ptr<Batch> batch) {
    Handle& handle = batch->handle_;
    handle.struct_size = sizeof(swapmq_batch);
    handle.delivery_size = sizeof(swapmq_delivery);
    handle.message_size = sizeof(swapmq_message);
    handle.reserved = 0;
    handle.deliveries = batch->deliveries_.data();
    handle.count = batch->deliveries_.size();
    handle.release = &Batch::release;
    handle.self = batch.get();
    return &batch.release()->handle_;
  }

  std::vector<swapmq_delivery> deliveries_;
  Handle handle_{};
};

/// How an exchange ended: deliveries, or none until the deadline (null), or interrupted.
struct Received {
  std::unique_ptr<Batch> batch;
  bool interrupted = false;
};

struct ExchangeArgs {
  Settlements settlements;
  swapmq_status* settlement_results; // as many as settlements
  std::size_t max_messages;
  uint64_t max_bytes; // 0: no limit
  Deadline deadline;
  bool may_pend = false; // results may be SWAPMQ_STATUS_PENDING, where deliveries are handed out
};

struct ClaimArgs {
  std::size_t max_messages; // 1 or more
  uint64_t max_bytes;       // 0: no limit
  Deadline deadline;
};

using PeekArgs = ClaimArgs;

using QueueVisitor = std::function<void(std::string_view name)>;

class Session {
 public:
  Session() = default;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  virtual ~Session() = default;

  virtual void ping(Deadline deadline) = 0;
  virtual std::unique_ptr<Queue> open_queue(std::string_view name,
                                            const swapmq_queue_spec& spec) = 0;
  virtual void create_queue(Queue& queue, Deadline deadline) = 0;
  virtual void delete_queue(Queue& queue, Deadline deadline) = 0;
  virtual void queue_stats(Queue& queue, swapmq_queue_stats& stats, Deadline deadline) = 0;
  virtual uint64_t purge_queue(Queue& queue, Deadline deadline) = 0;
  virtual void publish(Queue& queue, Messages messages, PublishResults results,
                       Deadline deadline) = 0;
  virtual std::unique_ptr<Subscription> subscribe(Queue& queue,
                                                  const swapmq_subscribe_args& args) = 0;
  virtual Received exchange(Subscription& subscription, const ExchangeArgs& args) = 0;
  /// Gives back what the subscription holds. Called before it is destroyed, in any case. What it
  /// throws is a line in the host's log.
  virtual void unsubscribe(Subscription& subscription) = 0;
  virtual void service(Deadline deadline) = 0;
  /// From any thread, at any time until the session is closed.
  virtual void interrupt() noexcept = 0;

 private:
  template <class S>
  friend struct Trampolines;
  const swapmq_host* host_ = nullptr; // outlives the session by contract
  std::vector<std::unique_ptr<Queue>> queues_;
  std::vector<std::unique_ptr<Subscription>> subscriptions_;
};

} // namespace swapmq::backend

#include "swapmq/backend_glue.hpp"

/// Once per plugin, at namespace scope: the exported entry.
#define SWAPMQ_DEFINE_BACKEND(SessionClass, plugin_info)                              \
  extern "C" SWAPMQ_BACKEND_EXPORT const swapmq_backend_vtable* swapmq_backend_entry( \
      uint32_t host_abi, swapmq_error* error) {                                       \
    return ::swapmq::backend::entry<SessionClass>((plugin_info), host_abi, error);    \
  }

#endif // SWAPMQ_BACKEND_HPP
