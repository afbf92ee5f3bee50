// SPDX-License-Identifier: MIT
//
// A vtable between the tests and the plugin's, which writes down each call and passes it on as it
// is.
#include "recording.h"

#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "call_log.h"
#include "call_words.h"
#include "plugin.h"

namespace swapmq::contract {

namespace {

using Text = std::string;

const swapmq_backend_vtable* real = nullptr; // set before any call

/// Which queue a handle is of, and what is subscribed to, for calls that have the handle alone.
class Names {
 public:
  void queue_is(const swapmq_queue* queue, Text name) {
    const std::lock_guard lock(mutex_);
    queues_[queue] = std::move(name);
  }
  Text of(const swapmq_queue* queue) const {
    if (queue == nullptr) return "queue NULL";
    const std::lock_guard lock(mutex_);
    const auto found = queues_.find(queue);
    return found == queues_.end() ? "a queue" : "queue " + found->second;
  }
  void subscribed(const swapmq_session* session, const swapmq_subscription* to,
                  const swapmq_queue* queue) {
    const std::lock_guard lock(mutex_);
    subscriptions_[to] = {session, queues_[queue]};
  }
  /// "queue NAME; " if there is more than one it could be.
  Text of(const swapmq_subscription* subscription) const {
    if (subscription == nullptr) return "subscription NULL; ";
    const std::lock_guard lock(mutex_);
    const auto found = subscriptions_.find(subscription);
    const bool plain = found == subscriptions_.end() || queues_seen() < 2;
    return plain ? Text() : "queue " + found->second.queue + "; ";
  }
  void forget(const swapmq_subscription* subscription) {
    const std::lock_guard lock(mutex_);
    subscriptions_.erase(subscription);
  }
  void forget(const swapmq_session* session) {
    const std::lock_guard lock(mutex_);
    std::erase_if(subscriptions_, [&](const auto& each) { return each.second.session == session; });
  }

 private:
  struct Subscribed {
    const swapmq_session* session;
    Text queue;
  };
  [[nodiscard]] std::size_t queues_seen() const {
    std::set<std::string_view> queues;
    for (const auto& [subscription, to] : subscriptions_) queues.insert(to.queue);
    return queues.size();
  }

  mutable std::mutex mutex_;
  std::map<const swapmq_queue*, Text> queues_; // guarded by mutex_, as is what follows
  std::map<const swapmq_subscription*, Subscribed> subscriptions_;
};

Names names;

Text null_or(const void* pointer, const char* what) {
  return pointer == nullptr ? Text(what) + " NULL, " : Text();
}

/// A call that gives a status and nothing else that is worth a word.
template <class Function>
swapmq_status plain(const Text& call, const swapmq_error* error, const Function& function) {
  CallUnderWay under_way(call);
  const swapmq_status status = function();
  under_way.returned(words::came(status, error));
  return status;
}

/// A call that may set *batch, which may hold anything before.
template <class Function>
swapmq_status for_batch(const Text& call, swapmq_batch** batch, const swapmq_error* error,
                        const Function& function) {
  CallUnderWay under_way(call);
  const swapmq_batch* before = batch == nullptr ? nullptr : *batch;
  const swapmq_status status = function();
  Text came = words::came(status, error);
  const bool set = batch != nullptr && *batch != before;
  if (status == SWAPMQ_OK) came += words::came_of_batch(set ? *batch : nullptr);
  under_way.returned(came);
  return status;
}

swapmq_status open(const swapmq_open_args* args, swapmq_backend** backend, swapmq_error* error) {
  const bool readable = args != nullptr && args->struct_size >= sizeof *args;
  const Text options = args == nullptr ? "args NULL" : readable ? "options " : "short args";
  return plain("open(" + options + (readable ? words::quoted(args->options_json) : Text()) + ")",
               error, [&] { return real->open(args, backend, error); });
}

void close(swapmq_backend* backend) {
  const CallUnderWay under_way("close()");
  real->close(backend);
}

swapmq_status session_open(swapmq_backend* backend, std::int32_t role, std::int64_t deadline_ns,
                           swapmq_session** session, swapmq_error* error) {
  return plain("session_open(" + null_or(backend, "backend") + null_or(session, "session") +
                   words::of_role(role) + ", " + words::until(deadline_ns) + ")",
               error,
               [&] { return real->session_open(backend, role, deadline_ns, session, error); });
}

void session_close(swapmq_session* session) {
  const CallUnderWay under_way("session_close()");
  names.forget(session);
  real->session_close(session);
}

swapmq_status ping(swapmq_session* session, std::int64_t deadline_ns, swapmq_error* error) {
  return plain("ping(" + null_or(session, "session") + words::until(deadline_ns) + ")", error,
               [&] { return real->ping(session, deadline_ns, error); });
}

swapmq_status queue_open(swapmq_session* session, swapmq_bytes name, const swapmq_queue_spec* spec,
                         swapmq_queue** queue, swapmq_error* error) {
  const Text shown = words::quoted(name);
  const swapmq_status status =
      plain("queue_open(" + null_or(session, "session") + null_or(queue, "queue") + shown +
                words::of_spec(spec) + ")",
            error, [&] { return real->queue_open(session, name, spec, queue, error); });
  if (status == SWAPMQ_OK && queue != nullptr) names.queue_is(*queue, shown);
  return status;
}

/// "SLOT(queue "a", MORE10 s)".
Text of_queue(const char* slot, const swapmq_session* session, const swapmq_queue* queue,
              std::int64_t deadline_ns, const Text& more = {}) {
  return Text(slot) + "(" + null_or(session, "session") + names.of(queue) + ", " + more +
         words::until(deadline_ns) + ")";
}

swapmq_status create_queue(swapmq_session* session, swapmq_queue* queue, std::int64_t deadline_ns,
                           swapmq_error* error) {
  return plain(of_queue("create_queue", session, queue, deadline_ns), error,
               [&] { return real->create_queue(session, queue, deadline_ns, error); });
}

swapmq_status delete_queue(swapmq_session* session, swapmq_queue* queue, std::int64_t deadline_ns,
                           swapmq_error* error) {
  return plain(of_queue("delete_queue", session, queue, deadline_ns), error,
               [&] { return real->delete_queue(session, queue, deadline_ns, error); });
}

swapmq_status queue_stats(swapmq_session* session, swapmq_queue* queue, swapmq_queue_stats* stats,
                          std::int64_t deadline_ns, swapmq_error* error) {
  CallUnderWay under_way(
      of_queue("queue_stats", session, queue, deadline_ns, null_or(stats, "stats")));
  const swapmq_status status = real->queue_stats(session, queue, stats, deadline_ns, error);
  Text came = words::came(status, error);
  if (status == SWAPMQ_OK && stats != nullptr && stats->struct_size >= sizeof *stats) {
    came += ", ready " + std::to_string(stats->ready) + ", unacked " +
            std::to_string(stats->unacked) + ", delayed " + std::to_string(stats->delayed);
    if (stats->exists == 0) came += ", does not exist";
  }
  under_way.returned(came);
  return status;
}

swapmq_status purge_queue(swapmq_session* session, swapmq_queue* queue, std::uint64_t* removed,
                          std::int64_t deadline_ns, swapmq_error* error) {
  CallUnderWay under_way(
      of_queue("purge_queue", session, queue, deadline_ns, null_or(removed, "removed")));
  const swapmq_status status = real->purge_queue(session, queue, removed, deadline_ns, error);
  Text came = words::came(status, error);
  if (status == SWAPMQ_OK && removed != nullptr) came += ", removed " + std::to_string(*removed);
  under_way.returned(came);
  return status;
}

swapmq_status publish(swapmq_session* session, swapmq_queue* queue, const swapmq_publish_args* args,
                      swapmq_error* error) {
  CallUnderWay under_way("publish(" + null_or(session, "session") + names.of(queue) + ", " +
                         words::of_publish(args) + ")");
  const swapmq_status status = real->publish(session, queue, args, error);
  under_way.returned(words::came(status, error) + words::came_of_publish(args));
  return status;
}

swapmq_status subscribe(swapmq_session* session, swapmq_queue* queue,
                        const swapmq_subscribe_args* args, swapmq_subscription** subscription,
                        swapmq_error* error) {
  const Text call = "subscribe(" + null_or(session, "session") + names.of(queue) + ", " +
                    null_or(subscription, "subscription") + words::of_subscribe(args) + ")";
  const swapmq_status status = plain(
      call, error, [&] { return real->subscribe(session, queue, args, subscription, error); });
  if (status == SWAPMQ_OK && subscription != nullptr)
    names.subscribed(session, *subscription, queue);
  return status;
}

swapmq_status exchange(swapmq_session* session, swapmq_subscription* subscription,
                       const swapmq_exchange_args* args, swapmq_batch** batch,
                       swapmq_error* error) {
  CallUnderWay under_way("exchange(" + null_or(session, "session") + null_or(batch, "batch") +
                         names.of(subscription) + words::of_exchange(args) + ")");
  const swapmq_batch* before = batch == nullptr ? nullptr : *batch;
  const swapmq_status status = real->exchange(session, subscription, args, batch, error);
  Text came = words::came(status, error) + words::came_of_settlements(args);
  const bool receives = args != nullptr && args->struct_size >= sizeof *args &&
                        args->max_messages > 0 && status == SWAPMQ_OK;
  const bool set = batch != nullptr && *batch != before;
  if (receives || (status == SWAPMQ_OK && set))
    came += words::came_of_batch(set ? *batch : nullptr);
  under_way.returned(came);
  return status;
}

void unsubscribe(swapmq_session* session, swapmq_subscription* subscription) {
  const CallUnderWay under_way("unsubscribe()");
  names.forget(subscription);
  real->unsubscribe(session, subscription);
}

swapmq_status service(swapmq_session* session, std::int64_t deadline_ns, swapmq_error* error) {
  return plain("service(" + null_or(session, "session") + words::until(deadline_ns) + ")", error,
               [&] { return real->service(session, deadline_ns, error); });
}

void interrupt(swapmq_session* session) {
  const CallUnderWay under_way("interrupt()");
  real->interrupt(session);
}

void describe(swapmq_backend* backend, swapmq_capabilities* capabilities, swapmq_limits* limits) {
  CallUnderWay under_way("describe()");
  real->describe(backend, capabilities, limits);
  under_way.returned("returned");
}

// ---- extensions ---------------------------------------------------------------------------------

const swapmq_list_queues* real_list = nullptr; // the plugin's static tables
const swapmq_claim_delayed* real_claim = nullptr;
const swapmq_peek* real_peek = nullptr;

swapmq_status list(swapmq_session* session, void (*each)(void* context, swapmq_bytes name),
                   void* context, std::int64_t deadline_ns, swapmq_error* error) {
  return plain("list(" + null_or(session, "session") + words::until(deadline_ns) + ")", error,
               [&] { return real_list->list(session, each, context, deadline_ns, error); });
}

Text up_to(std::uint64_t max_messages, std::uint64_t max_bytes, std::int64_t deadline_ns) {
  Text line = "up to " + words::counted(max_messages, "message");
  if (max_bytes != 0) line += " and " + words::counted(max_bytes, "byte");
  return line + ", " + words::until(deadline_ns) + ")";
}

swapmq_status claim(swapmq_session* session, swapmq_subscription* subscription,
                    std::uint64_t max_messages, std::uint64_t max_bytes, std::int64_t deadline_ns,
                    swapmq_batch** batch, swapmq_error* error) {
  return for_batch("claim(" + null_or(session, "session") + names.of(subscription) +
                       up_to(max_messages, max_bytes, deadline_ns),
                   batch, error, [&] {
                     return real_claim->claim(session, subscription, max_messages, max_bytes,
                                              deadline_ns, batch, error);
                   });
}

swapmq_status peek(swapmq_session* session, swapmq_queue* queue, std::uint64_t max_messages,
                   std::uint64_t max_bytes, std::int64_t deadline_ns, swapmq_batch** batch,
                   swapmq_error* error) {
  return for_batch("peek(" + null_or(session, "session") + names.of(queue) + ", " +
                       up_to(max_messages, max_bytes, deadline_ns),
                   batch, error, [&] {
                     return real_peek->peek(session, queue, max_messages, max_bytes, deadline_ns,
                                            batch, error);
                   });
}

/// The plugin's table with its one function recorded; as it is if it lacks that.
template <class Table, class Slot>
const void* recorded(const void* given, const Table*& kept, Slot Table::*slot, Slot function) {
  const auto* table = static_cast<const Table*>(given);
  if (table->struct_size < sizeof *table || table->*slot == nullptr) return given;
  kept = table;
  static Table ours; // of each kind of table one
  ours = *table;
  ours.*slot = function;
  return &ours;
}

/// With its calls recorded, if it is one whose calls are known.
const void* recorded(std::string_view name, const void* table) {
  static std::mutex mutex; // two threads may ask at once
  const std::lock_guard lock(mutex);
  if (name == SWAPMQ_EXTENSION_LIST_QUEUES) {
    return recorded(table, real_list, &swapmq_list_queues::list, &list);
  }
  if (name == SWAPMQ_EXTENSION_CLAIM_DELAYED) {
    return recorded(table, real_claim, &swapmq_claim_delayed::claim, &claim);
  }
  if (name == SWAPMQ_EXTENSION_PEEK) return recorded(table, real_peek, &swapmq_peek::peek, &peek);
  return table;
}

const void* extension(const char* name) {
  CallUnderWay under_way(name == nullptr ? Text("extension(NULL)")
                                         : "extension(\"" + Text(name) + "\")");
  const void* table = real->extension(name);
  under_way.returned(table == nullptr ? "NULL" : "a table");
  if (table == nullptr || name == nullptr) return table;
  const void* ours = recorded(name, table);
  if (ours != table) under_way.leave_no_trace(); // its calls say more
  return ours;
}

} // namespace

void record_calls() {
  static swapmq_backend_vtable ours; // as long as the kit uses it
  real = kit().vtable;
  ours = *real;
  ours.open = &open;
  ours.close = &close;
  ours.session_open = &session_open;
  ours.session_close = &session_close;
  ours.ping = &ping;
  ours.queue_open = &queue_open;
  ours.create_queue = &create_queue;
  ours.delete_queue = &delete_queue;
  ours.queue_stats = &queue_stats;
  ours.purge_queue = &purge_queue;
  ours.publish = &publish;
  ours.subscribe = &subscribe;
  ours.exchange = &exchange;
  ours.unsubscribe = &unsubscribe;
  ours.service = &service;
  ours.interrupt = &interrupt;
  ours.describe = &describe;
  ours.extension = &extension;
  kit().vtable = &ours;
}

} // namespace swapmq::contract
