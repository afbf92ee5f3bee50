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
};

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
  /// Gives back what the subscription holds. Called before it is destroyed, in any case.
  virtual void unsubscribe(Subscription& subscription) = 0;
  virtual void service(Deadline deadline) = 0;
  /// From any thread, at any time until the session is closed.
  virtual void interrupt() noexcept = 0;

 private:
  template <class S>
  friend struct Trampolines;
  std::vector<std::unique_ptr<Queue>> queues_;
  std::vector<std::unique_ptr<Subscription>> subscriptions_;
};

// ---- from C to C++ and back ---------------------------------------------------------------------

/// Copies what both sides know of a struct; the rest is zero.
template <class T>
T known_part(const T& from) {
  T to{};
  std::memcpy(&to, &from, std::min<std::size_t>(from.struct_size, sizeof(T)));
  to.struct_size = sizeof(T);
  return to;
}

template <class S>
struct Trampolines {
  struct Opened {
    const swapmq_host* host; // outlives this by contract
    typename S::Shared shared;
    Opened(const swapmq_host* lent, const OpenArgs& args) : host(lent), shared(args) {}
  };

  template <class Body>
  static swapmq_status guarded(swapmq_error* error, Body&& body) noexcept {
    try {
      return body();
    } catch (const Failure& failure) {
      return fill_error(error, failure.status(), failure.what(), failure.flags(),
                        failure.retry_after_ms());
    } catch (const std::bad_alloc&) {
      return fill_error(error, SWAPMQ_RESOURCE_EXHAUSTED, "out of memory");
    } catch (const std::exception& failure) {
      return fill_error(error, SWAPMQ_INTERNAL, failure.what());
    } catch (...) {
      return fill_error(error, SWAPMQ_INTERNAL, "an exception of an unknown type");
    }
  }

  template <class Body>
  static void guarded_void(const swapmq_host* host, const char* where, Body&& body) noexcept {
    char text[256];
    swapmq_error error{sizeof(swapmq_error), SWAPMQ_OK, 0, 0, sizeof text, 0, text};
    const swapmq_status status = guarded(&error, [&] {
      body();
      return SWAPMQ_OK;
    });
    if (status == SWAPMQ_OK) return;
    try {
      Host(host).log(SWAPMQ_LOG_WARN, std::string(where) + ": " + text);
    } catch (...) { // nothing is left to report with
      return;
    }
  }

  static swapmq_status wrong(swapmq_error* error, const char* what) noexcept {
    return fill_error(error, SWAPMQ_INVALID_ARGUMENT, what);
  }

  static S* unbox(swapmq_session* session) {
    return static_cast<S*>(reinterpret_cast<Session*>(session));
  }
  static Queue* unbox(swapmq_queue* queue) { return reinterpret_cast<Queue*>(queue); }
  static Subscription* unbox(swapmq_subscription* s) { return reinterpret_cast<Subscription*>(s); }

  static swapmq_status open(const swapmq_open_args* given, swapmq_backend** backend,
                            swapmq_error* error) noexcept {
    if (given == nullptr || backend == nullptr) return wrong(error, "open: an argument is NULL");
    const swapmq_open_args args = known_part(*given);
    if (args.host == nullptr) return wrong(error, "open: host is NULL");
    return guarded(error, [&] {
      const OpenArgs cpp{Host(args.host), view(args.options_json), view(args.instance),
                         Deadline(args.deadline_ns)};
      *backend = reinterpret_cast<swapmq_backend*>(new Opened(args.host, cpp));
      return SWAPMQ_OK;
    });
  }

  static void close(swapmq_backend* backend) noexcept {
    auto* opened = reinterpret_cast<Opened*>(backend);
    if (opened == nullptr) return;
    guarded_void(opened->host, "close", [&] { delete opened; });
  }

  static swapmq_status session_open(swapmq_backend* backend, int32_t role, int64_t deadline_ns,
                                    swapmq_session** session, swapmq_error* error) noexcept {
    if (backend == nullptr || session == nullptr) {
      return wrong(error, "session_open: an argument is NULL");
    }
    if (role < SWAPMQ_ROLE_PUBLISH || role > SWAPMQ_ROLE_ADMIN) {
      return wrong(error, "session_open: no such role");
    }
    return guarded(error, [&] {
      auto& shared = reinterpret_cast<Opened*>(backend)->shared;
      Session* made = new S(shared, role, Deadline(deadline_ns));
      *session = reinterpret_cast<swapmq_session*>(made);
      return SWAPMQ_OK;
    });
  }

  static void session_close(swapmq_session* session) noexcept {
    if (session == nullptr) return;
    S* self = unbox(session);
    for (auto& subscription : self->Session::subscriptions_) {
      guarded_void(nullptr, "unsubscribe", [&] { self->unsubscribe(*subscription); });
    }
    self->Session::subscriptions_.clear();
    self->Session::queues_.clear();
    delete self;
  }

  static swapmq_status ping(swapmq_session* session, int64_t deadline_ns,
                            swapmq_error* error) noexcept {
    if (session == nullptr) return wrong(error, "ping: session is NULL");
    return guarded(error, [&] {
      unbox(session)->ping(Deadline(deadline_ns));
      return SWAPMQ_OK;
    });
  }

  static swapmq_status queue_open(swapmq_session* session, swapmq_bytes name,
                                  const swapmq_queue_spec* spec, swapmq_queue** queue,
                                  swapmq_error* error) noexcept {
    if (session == nullptr || queue == nullptr) {
      return wrong(error, "queue_open: an argument is NULL");
    }
    if (name.size == 0 || name.data == nullptr) {
      return wrong(error, "queue_open: the queue name is empty");
    }
    return guarded(error, [&] {
      swapmq_queue_spec known{};
      if (spec != nullptr) known = known_part(*spec);
      S* self = unbox(session);
      self->Session::queues_.push_back(self->open_queue(view(name), known));
      *queue = reinterpret_cast<swapmq_queue*>(self->Session::queues_.back().get());
      return SWAPMQ_OK;
    });
  }

  static swapmq_status create_queue(swapmq_session* session, swapmq_queue* queue,
                                    int64_t deadline_ns, swapmq_error* error) noexcept {
    if (session == nullptr || queue == nullptr) {
      return wrong(error, "create_queue: an argument is NULL");
    }
    return guarded(error, [&] {
      unbox(session)->create_queue(*unbox(queue), Deadline(deadline_ns));
      return SWAPMQ_OK;
    });
  }

  static swapmq_status delete_queue(swapmq_session* session, swapmq_queue* queue,
                                    int64_t deadline_ns, swapmq_error* error) noexcept {
    if (session == nullptr || queue == nullptr) {
      return wrong(error, "delete_queue: an argument is NULL");
    }
    return guarded(error, [&] {
      unbox(session)->delete_queue(*unbox(queue), Deadline(deadline_ns));
      return SWAPMQ_OK;
    });
  }

  static swapmq_status queue_stats(swapmq_session* session, swapmq_queue* queue,
                                   swapmq_queue_stats* stats, int64_t deadline_ns,
                                   swapmq_error* error) noexcept {
    if (session == nullptr || queue == nullptr || stats == nullptr) {
      return wrong(error, "queue_stats: an argument is NULL");
    }
    if (stats->struct_size < sizeof(uint32_t)) return wrong(error, "queue_stats: no struct_size");
    return guarded(error, [&] {
      swapmq_queue_stats read{};
      read.struct_size = sizeof read;
      unbox(session)->queue_stats(*unbox(queue), read, Deadline(deadline_ns));
      const uint32_t size = stats->struct_size;
      std::memcpy(stats, &read, std::min<std::size_t>(size, sizeof read));
      stats->struct_size = size;
      return SWAPMQ_OK;
    });
  }

  static swapmq_status purge_queue(swapmq_session* session, swapmq_queue* queue, uint64_t* removed,
                                   int64_t deadline_ns, swapmq_error* error) noexcept {
    if (session == nullptr || queue == nullptr || removed == nullptr) {
      return wrong(error, "purge_queue: an argument is NULL");
    }
    return guarded(error, [&] {
      *removed = unbox(session)->purge_queue(*unbox(queue), Deadline(deadline_ns));
      return SWAPMQ_OK;
    });
  }

  static const char* wrong_message(const swapmq_message& message) {
    if (message.id.size == 0 || message.id.size > 255) return "a message id is not 1 to 255 bytes";
    if (message.header_count > 0 && message.headers == nullptr) return "headers is NULL";
    if (message.header_count > 0 && message.header_size < sizeof(swapmq_header)) {
      return "header_size is too small";
    }
    if (message.priority > 9) return "a priority is above 9";
    return nullptr;
  }

  static swapmq_status publish(swapmq_session* session, swapmq_queue* queue,
                               const swapmq_publish_args* given, swapmq_error* error) noexcept {
    if (session == nullptr || queue == nullptr || given == nullptr) {
      return wrong(error, "publish: an argument is NULL");
    }
    const swapmq_publish_args args = known_part(*given);
    if (args.count == 0 || args.messages == nullptr || args.results == nullptr) {
      return wrong(error, "publish: no messages or no results");
    }
    if (args.message_size < sizeof(swapmq_message) ||
        args.result_size < sizeof(swapmq_publish_result)) {
      return wrong(error, "publish: an element is smaller than this plugin knows");
    }
    const Messages messages(args.messages, args.count, args.message_size);
    const PublishResults results(args.results, args.count, args.result_size);
    for (std::size_t i = 0; i < messages.size(); ++i) {
      if (const char* what = wrong_message(messages[i])) return wrong(error, what);
    }
    return guarded(error, [&] {
      unbox(session)->publish(*unbox(queue), messages, results, Deadline(args.deadline_ns));
      return SWAPMQ_OK;
    });
  }

  static swapmq_status subscribe(swapmq_session* session, swapmq_queue* queue,
                                 const swapmq_subscribe_args* given,
                                 swapmq_subscription** subscription, swapmq_error* error) noexcept {
    if (session == nullptr || queue == nullptr || given == nullptr || subscription == nullptr) {
      return wrong(error, "subscribe: an argument is NULL");
    }
    const swapmq_subscribe_args args = known_part(*given);
    if (args.prefetch == 0) return wrong(error, "subscribe: prefetch is 0");
    if (args.lease_ms < 0) return wrong(error, "subscribe: lease_ms is negative");
    return guarded(error, [&] {
      S* self = unbox(session);
      auto made = self->subscribe(*unbox(queue), args);
      self->Session::subscriptions_.push_back(std::move(made));
      Subscription* raw = self->Session::subscriptions_.back().get();
      *subscription = reinterpret_cast<swapmq_subscription*>(raw);
      return SWAPMQ_OK;
    });
  }

  static const char* wrong_settlement(const swapmq_settlement& settlement) {
    if (settlement.delivery == nullptr) return "a settlement names no delivery";
    if (settlement.action < SWAPMQ_SETTLE_ACK || settlement.action > SWAPMQ_SETTLE_DEAD_LETTER) {
      return "a settlement has no such action";
    }
    if (settlement.action == SWAPMQ_SETTLE_DEAD_LETTER && settlement.target == nullptr) {
      return "a dead-letter has no target";
    }
    if (settlement.header_count > 0 &&
        (settlement.headers == nullptr || settlement.header_size < sizeof(swapmq_header))) {
      return "the headers of a settlement are wrong";
    }
    return nullptr;
  }

  static swapmq_status exchange(swapmq_session* session, swapmq_subscription* subscription,
                                const swapmq_exchange_args* given, swapmq_batch** batch,
                                swapmq_error* error) noexcept {
    if (session == nullptr || subscription == nullptr || given == nullptr || batch == nullptr) {
      return wrong(error, "exchange: an argument is NULL");
    }
    const swapmq_exchange_args args = known_part(*given);
    if (args.settlement_count > 0 &&
        (args.settlements == nullptr || args.settlement_results == nullptr ||
         args.settlement_size < sizeof(swapmq_settlement))) {
      return wrong(error, "exchange: the settlements are wrong");
    }
    const Settlements settlements(args.settlements, args.settlement_count, args.settlement_size);
    for (std::size_t i = 0; i < settlements.size(); ++i) {
      if (const char* what = wrong_settlement(settlements[i])) return wrong(error, what);
    }
    return guarded(error, [&] {
      Received received = unbox(session)->exchange(
          *unbox(subscription),
          {settlements, args.settlement_results, static_cast<std::size_t>(args.max_messages),
           args.max_bytes, Deadline(args.deadline_ns)});
      if (received.batch != nullptr && received.batch->size() > 0) {
        *batch = Batch::hand_out(std::move(received.batch));
        return SWAPMQ_OK;
      }
      return received.interrupted ? SWAPMQ_INTERRUPTED : SWAPMQ_OK;
    });
  }

  static void unsubscribe(swapmq_session* session, swapmq_subscription* subscription) noexcept {
    if (session == nullptr || subscription == nullptr) return;
    S* self = unbox(session);
    Subscription* given = unbox(subscription);
    guarded_void(nullptr, "unsubscribe", [&] { self->unsubscribe(*given); });
    std::erase_if(self->Session::subscriptions_, [&](const auto& s) { return s.get() == given; });
  }

  static swapmq_status service(swapmq_session* session, int64_t deadline_ns,
                               swapmq_error* error) noexcept {
    if (session == nullptr) return wrong(error, "service: session is NULL");
    return guarded(error, [&] {
      unbox(session)->service(Deadline(deadline_ns));
      return SWAPMQ_OK;
    });
  }

  static void interrupt(swapmq_session* session) noexcept {
    if (session != nullptr) unbox(session)->interrupt();
  }

  static void describe(swapmq_backend* backend, swapmq_capabilities* capabilities,
                       swapmq_limits* limits) noexcept {
    if (backend == nullptr || capabilities == nullptr || limits == nullptr) return;
    if constexpr (requires(typename S::Shared & s) { s.describe(*capabilities, *limits); }) {
      auto* opened = reinterpret_cast<Opened*>(backend);
      guarded_void(opened->host, "describe", [&] {
        swapmq_capabilities own = known_part(*capabilities);
        swapmq_limits own_limits = known_part(*limits);
        opened->shared.describe(own, own_limits);
        own.struct_size = capabilities->struct_size;
        own_limits.struct_size = limits->struct_size;
        std::memcpy(capabilities, &own, std::min<std::size_t>(own.struct_size, sizeof own));
        std::memcpy(limits, &own_limits,
                    std::min<std::size_t>(own_limits.struct_size, sizeof own_limits));
      });
    }
  }

  static constexpr bool lists_queues = requires(S & s, const QueueVisitor& visit, Deadline d) {
    s.list_queues(visit, d);
  };

  static swapmq_status list(swapmq_session* session, void (*each)(void* context, swapmq_bytes name),
                            void* context, int64_t deadline_ns, swapmq_error* error) noexcept {
    if (session == nullptr || each == nullptr) return wrong(error, "list: an argument is NULL");
    return guarded(error, [&] {
      if constexpr (lists_queues) {
        const QueueVisitor visit = [&](std::string_view name) { each(context, bytes(name)); };
        unbox(session)->list_queues(visit, Deadline(deadline_ns));
      }
      return SWAPMQ_OK;
    });
  }

  static const void* extension(const char* name) noexcept {
    if (name == nullptr) return nullptr;
    if constexpr (lists_queues) {
      static constexpr swapmq_list_queues table{sizeof(swapmq_list_queues), 0, &list};
      if (std::string_view(name) == SWAPMQ_EXTENSION_LIST_QUEUES) return &table;
    }
    if constexpr (requires { S::extension(name); }) return S::extension(name);
    return nullptr;
  }
};

template <class S>
const swapmq_backend_vtable* entry(const swapmq_plugin_info& info, uint32_t host_abi,
                                   swapmq_error* error) noexcept {
  if (SWAPMQ_ABI_MAJOR_OF(host_abi) != SWAPMQ_ABI_MAJOR) {
    fill_error(error, SWAPMQ_NOT_SUPPORTED, "this plugin speaks another major version of the ABI");
    return nullptr;
  }
  using T = Trampolines<S>;
  static const swapmq_backend_vtable table{sizeof(swapmq_backend_vtable),
                                           SWAPMQ_ABI_VERSION,
                                           &info,
                                           &T::open,
                                           &T::close,
                                           &T::session_open,
                                           &T::session_close,
                                           &T::ping,
                                           &T::queue_open,
                                           &T::create_queue,
                                           &T::delete_queue,
                                           &T::queue_stats,
                                           &T::purge_queue,
                                           &T::publish,
                                           &T::subscribe,
                                           &T::exchange,
                                           &T::unsubscribe,
                                           &T::service,
                                           &T::interrupt,
                                           &T::describe,
                                           &T::extension};
  return &table;
}

} // namespace swapmq::backend

/// Once per plugin, at namespace scope: the exported entry.
#define SWAPMQ_DEFINE_BACKEND(SessionClass, plugin_info)                              \
  extern "C" SWAPMQ_BACKEND_EXPORT const swapmq_backend_vtable* swapmq_backend_entry( \
      uint32_t host_abi, swapmq_error* error) {                                       \
    return ::swapmq::backend::entry<SessionClass>((plugin_info), host_abi, error);    \
  }

#endif // SWAPMQ_BACKEND_HPP
