// SPDX-License-Identifier: MIT
//
// The inside of <swapmq/backend.hpp>: the vtable's functions, which check their arguments, call an
// author's class and turn what it throws into a status. Nothing here is for authors.
#ifndef SWAPMQ_BACKEND_GLUE_HPP
#define SWAPMQ_BACKEND_GLUE_HPP

#include "swapmq/backend.hpp"

namespace swapmq::backend {

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
      auto* opened = reinterpret_cast<Opened*>(backend);
      Session* made = new S(opened->shared, role, Deadline(deadline_ns));
      made->host_ = opened->host;
      *session = reinterpret_cast<swapmq_session*>(made);
      return SWAPMQ_OK;
    });
  }

  static void session_close(swapmq_session* session) noexcept {
    if (session == nullptr) return;
    S* self = unbox(session);
    for (auto& subscription : self->Session::subscriptions_) {
      guarded_void(self->Session::host_, "unsubscribe", [&] { self->unsubscribe(*subscription); });
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

  static bool readable(const swapmq_bytes& bytes) {
    return bytes.size == 0 || bytes.data != nullptr;
  }

  static const char* wrong_headers(const swapmq_header* headers, uint32_t count, uint32_t size) {
    if (count == 0) return nullptr;
    if (headers == nullptr) return "headers is NULL";
    if (size < sizeof(swapmq_header)) return "header_size is too small";
    const Headers known(headers, count, size);
    for (std::size_t i = 0; i < known.size(); ++i) {
      const swapmq_bytes& name = known[i].name;
      if (name.size == 0 || name.size > 255) return "a header's name is not 1 to 255 bytes";
      if (!readable(name) || !readable(known[i].value)) return "a header is at NULL";
    }
    return nullptr;
  }

  static const char* wrong_message(const swapmq_message& message) {
    if (message.id.size == 0 || message.id.size > 255) return "a message id is not 1 to 255 bytes";
    if (message.priority > 9) return "a priority is above 9";
    for (const swapmq_bytes* field :
         {&message.id, &message.body, &message.ordering_key, &message.correlation_id,
          &message.reply_to, &message.content_type}) {
      if (!readable(*field)) return "a message has bytes at NULL";
    }
    return wrong_headers(message.headers, message.header_count, message.header_size);
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
    return wrong_headers(settlement.headers, settlement.header_count, settlement.header_size);
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
           args.max_bytes, Deadline(args.deadline_ns),
           (args.flags & SWAPMQ_EXCHANGE_MAY_PEND) != 0});
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
    guarded_void(self->Session::host_, "unsubscribe", [&] { self->unsubscribe(*given); });
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

  static constexpr bool claims_delayed = requires(S & s, Subscription& from, const ClaimArgs& a) {
    s.claim_delayed(from, a);
  };

  static swapmq_status claim(swapmq_session* session, swapmq_subscription* subscription,
                             uint64_t max_messages, uint64_t max_bytes, int64_t deadline_ns,
                             swapmq_batch** batch, swapmq_error* error) noexcept {
    if (session == nullptr || subscription == nullptr || batch == nullptr) {
      return wrong(error, "claim: an argument is NULL");
    }
    if (max_messages == 0) return SWAPMQ_OK;
    return guarded(error, [&] {
      if constexpr (claims_delayed) {
        std::unique_ptr<Batch> claimed = unbox(session)->claim_delayed(
            *unbox(subscription),
            {static_cast<std::size_t>(max_messages), max_bytes, Deadline(deadline_ns)});
        if (claimed != nullptr && claimed->size() > 0) *batch = Batch::hand_out(std::move(claimed));
      }
      return SWAPMQ_OK;
    });
  }

  static constexpr bool peeks = requires(S & s, Queue& at, const PeekArgs& a) { s.peek(at, a); };

  static swapmq_status peek(swapmq_session* session, swapmq_queue* queue, uint64_t max_messages,
                            uint64_t max_bytes, int64_t deadline_ns, swapmq_batch** batch,
                            swapmq_error* error) noexcept {
    if (session == nullptr || queue == nullptr || batch == nullptr) {
      return wrong(error, "peek: an argument is NULL");
    }
    if (max_messages == 0) return SWAPMQ_OK;
    return guarded(error, [&] {
      if constexpr (peeks) {
        std::unique_ptr<Batch> shown = unbox(session)->peek(
            *unbox(queue),
            {static_cast<std::size_t>(max_messages), max_bytes, Deadline(deadline_ns)});
        if (shown != nullptr && shown->size() > 0) *batch = Batch::hand_out(std::move(shown));
      }
      return SWAPMQ_OK;
    });
  }

  static const void* extension(const char* name) noexcept {
    if (name == nullptr) return nullptr;
    if constexpr (peeks) {
      static constexpr swapmq_peek table{sizeof(swapmq_peek), 0, &peek};
      if (std::string_view(name) == SWAPMQ_EXTENSION_PEEK) return &table;
    }
    if constexpr (claims_delayed) {
      static constexpr swapmq_claim_delayed table{sizeof(swapmq_claim_delayed), 0, &claim};
      if (std::string_view(name) == SWAPMQ_EXTENSION_CLAIM_DELAYED) return &table;
    }
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

#endif // SWAPMQ_BACKEND_GLUE_HPP
