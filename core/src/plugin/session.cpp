// SPDX-License-Identifier: MIT
#include "plugin/session.h"

#include <algorithm>
#include <exception>
#include <limits>
#include <utility>

#include "plugin/batch_check.h"
#include "plugin/session_call.h"
#include "plugin/views.h"

namespace swapmq::plugin {
namespace {

bool is_precision(std::int32_t value) {
  return value >= SWAPMQ_STAT_UNKNOWN && value <= SWAPMQ_STAT_EXACT;
}

/// The rule that the figures break, or null.
const char* broken_rule(const swapmq_queue_stats& stats) {
  if (!is_precision(stats.ready_precision) || !is_precision(stats.unacked_precision) ||
      !is_precision(stats.delayed_precision)) {
    return "a precision is unknown to the ABI";
  }
  if ((stats.atomic | stats.exists) < 0 || stats.atomic > 1 || stats.exists > 1) {
    return "atomic or exists is neither 0 nor 1";
  }
  if (stats.exists == 0 && (stats.ready | stats.unacked | stats.delayed) != 0) {
    return "a queue that does not exist has messages";
  }
  return nullptr;
}

} // namespace

Session::Session(std::shared_ptr<Backend> backend, swapmq_session* handle)
    : backend_(std::move(backend)), handle_(handle), last_used_(std::chrono::steady_clock::now()) {
  if (plugin_calls_are_checked()) {
    checker_ =
        std::make_unique<CallChecker>(backend_->plugin().description().name, *backend_->sink_);
  }
}

Session::~Session() {
  vtable().session_close(handle_);
  backend_->leave();
}

const swapmq_backend_vtable& Session::vtable() const { return backend_->plugin().vtable(); }

Error Session::call_ended(const char* slot, swapmq_status status, const ErrorBuffer& buffer) {
  last_used_ = std::chrono::steady_clock::now();
  if (status == SWAPMQ_OK) return {};
  if ((buffer.flags() & SWAPMQ_ERROR_SESSION_DEAD) != 0) dead_ = true;
  return call_error(backend_->plugin().description().name, slot, status, buffer);
}

Error Session::broken(const char* slot, std::string_view rule) {
  Error error = breach(backend_->plugin().description().name, slot, rule);
  backend_->sink_->log(SWAPMQ_LOG_ERROR, error.message());
  return error;
}

Result<swapmq_queue*> Session::queue(std::string_view name, const swapmq_queue_spec& spec) {
  std::string key(name);
  if (const auto known = queues_.find(key); known != queues_.end()) return known->second;
  swapmq_queue* queue = nullptr;
  Error error = call("queue_open", nullptr, [&](swapmq_error* failed) {
    return vtable().queue_open(handle_, bytes(name), &spec, &queue, failed);
  });
  if (error) return error;
  if (queue == nullptr) return broken("queue_open", "it returned OK and no queue");
  queues_.emplace(std::move(key), queue);
  return queue;
}

Error Session::ping(Deadline deadline) {
  return call("ping", &deadline, [&](swapmq_error* failed) {
    return vtable().ping(handle_, to_ns(deadline), failed);
  });
}

Error Session::create_queue(swapmq_queue* queue, Deadline deadline) {
  return call("create_queue", &deadline, [&](swapmq_error* failed) {
    return vtable().create_queue(handle_, queue, to_ns(deadline), failed);
  });
}

Error Session::delete_queue(swapmq_queue* queue, Deadline deadline) {
  return call("delete_queue", &deadline, [&](swapmq_error* failed) {
    return vtable().delete_queue(handle_, queue, to_ns(deadline), failed);
  });
}

Result<swapmq_queue_stats> Session::queue_stats(swapmq_queue* queue, Deadline deadline) {
  swapmq_queue_stats stats{};
  stats.struct_size = sizeof stats;
  Error error = call("queue_stats", &deadline, [&](swapmq_error* failed) {
    return vtable().queue_stats(handle_, queue, &stats, to_ns(deadline), failed);
  });
  if (error) return error;
  stats.struct_size = sizeof stats;
  if (const char* rule = broken_rule(stats)) return broken("queue_stats", rule);
  return stats;
}

Result<std::uint64_t> Session::purge_queue(swapmq_queue* queue, Deadline deadline) {
  std::uint64_t removed = 0;
  Error error = call("purge_queue", &deadline, [&](swapmq_error* failed) {
    return vtable().purge_queue(handle_, queue, &removed, to_ns(deadline), failed);
  });
  if (error) return error;
  return removed;
}

Result<swapmq_subscription*> Session::subscribe(swapmq_queue* queue, std::uint32_t prefetch,
                                                std::chrono::milliseconds lease,
                                                Deadline deadline) {
  swapmq_subscribe_args args{};
  args.struct_size = sizeof args;
  args.prefetch = prefetch;
  args.lease_ms = lease.count();
  args.deadline_ns = to_ns(deadline);
  swapmq_subscription* subscription = nullptr;
  Error error = call("subscribe", &deadline, [&](swapmq_error* failed) {
    return vtable().subscribe(handle_, queue, &args, &subscription, failed);
  });
  if (error) return error;
  if (subscription == nullptr) return broken("subscribe", "it returned OK and no subscription");
  return subscription;
}

void Session::check_settled(bool succeeded, bool may_pend, std::span<swapmq_status> settled) {
  for (swapmq_status& status : settled) {
    if (is_known(status) || (status == SWAPMQ_STATUS_UNTOUCHED && !succeeded)) continue;
    if (status == SWAPMQ_STATUS_PENDING && may_pend) continue;
    broken("exchange", status == SWAPMQ_STATUS_UNTOUCHED
                           ? "it returned OK and left a settlement without a result"
                       : status == SWAPMQ_STATUS_PENDING
                           ? "a settlement is pending, and no delivery was handed out"
                           : "a settlement's result is unknown to the ABI");
    status = SWAPMQ_INTERNAL;
  }
}

Error Session::take_batch(const char* slot, swapmq_status status, swapmq_batch* batch,
                          std::size_t max_messages, Received& received) {
  if (batch == nullptr) return {};
  // Whatever is wrong with a batch, its deliveries reach nobody: they come back to the queue only
  // with the end of this session.
  if (status != SWAPMQ_OK && status != SWAPMQ_INTERRUPTED) { // perhaps never written: not touched
    dead_ = true;
    return broken(slot, "it failed and handed out a batch");
  }
  if (!is_releasable(batch)) {
    dead_ = true;
    return broken(slot, "a batch is not aligned, too small, or has no release");
  }
  BatchPtr owned(batch);
  std::string rule = plugin::broken_rule(*batch, max_messages);
  if (rule.empty() && status == SWAPMQ_INTERRUPTED) {
    rule = "it returned INTERRUPTED and handed out a batch";
  }
  if (!rule.empty()) {
    dead_ = true;
    return broken(slot, rule);
  }
  received.batch = std::move(owned);
  return {};
}

Received Session::exchange(swapmq_subscription* subscription,
                           std::span<const swapmq_settlement> settlements,
                           std::span<swapmq_status> settled, std::size_t max_messages,
                           std::uint64_t max_bytes, Deadline deadline) {
  Received received;
  if (settlements.size() != settled.size()) {
    received.error = {Errc::invalid_argument, "exchange: one result is needed for each settlement"};
    return received;
  }
  std::ranges::fill(settled, SWAPMQ_STATUS_UNTOUCHED);
  const std::size_t cap = backend_->limits().max_receive_batch;
  if (cap != 0) max_messages = std::min(max_messages, cap);

  swapmq_exchange_args args{};
  args.struct_size = sizeof args;
  args.settlement_size = sizeof(swapmq_settlement);
  args.settlements = settlements.data();
  args.settlement_count = settlements.size();
  args.settlement_results = settled.data();
  args.max_messages = max_messages;
  args.max_bytes = max_bytes;
  args.deadline_ns = to_ns(deadline);
  args.flags = SWAPMQ_EXCHANGE_MAY_PEND;
  swapmq_batch* batch = nullptr;
  swapmq_status status = SWAPMQ_INTERNAL;
  received.error = call("exchange", &deadline, [&](swapmq_error* failed) {
    status = vtable().exchange(handle_, subscription, &args, &batch, failed);
    // An end of the wait that was asked for, not an error.
    return status == SWAPMQ_INTERRUPTED ? SWAPMQ_OK : status;
  });
  check_settled(!received.error, batch != nullptr, settled);
  if (Error error = take_batch("exchange", status, batch, max_messages, received)) {
    received.error = error;
  }
  received.interrupted = status == SWAPMQ_INTERRUPTED && !received.error;
  received.session_dead = dead_;
  return received;
}

void Session::unsubscribe(swapmq_subscription* subscription) {
  const Deadline none = Deadline::max(); // a plugin may have to tell its broker
  const CallChecker::Scope scope(checker_.get(), "unsubscribe", &none);
  vtable().unsubscribe(handle_, subscription);
  last_used_ = std::chrono::steady_clock::now();
}

Error Session::service(Deadline deadline) {
  return call("service", &deadline, [&](swapmq_error* failed) {
    return vtable().service(handle_, to_ns(deadline), failed);
  });
}

void Session::interrupt() {
  const CallChecker::Scope scope(checker_.get(), "interrupt", nullptr, CallChecker::Threads::any);
  vtable().interrupt(handle_);
}

namespace {

/// What the plugin calls back with: it is C code, so nothing may be thrown through it.
struct Listing {
  static constexpr std::uint64_t kMaxName = 65536;

  const std::function<void(std::string_view)>& each;
  std::exception_ptr thrown;
  bool broken = false;

  static void name(void* context, swapmq_bytes name) noexcept {
    auto& self = *static_cast<Listing*>(context);
    if (name.data == nullptr || name.size == 0 || name.size > kMaxName) {
      self.broken = true;
      return;
    }
    if (self.thrown) return;
    try {
      self.each({static_cast<const char*>(name.data), static_cast<std::size_t>(name.size)});
    } catch (...) { // goes on to who called us, on the other side of the plugin
      self.thrown = std::current_exception();
    }
  }
};

} // namespace

template <class Table, class Slot>
Result<const Table*> Session::extension_table(const char* name, Slot Table::*slot,
                                              const char* slot_name, const char* lacking) {
  const void* extension = vtable().extension(name);
  if (extension == nullptr) {
    return Error(Errc::not_supported,
                 backend_->plugin().description().name + ": this backend cannot " + lacking);
  }
  const auto* table = static_cast<const Table*>(extension);
  const bool aligned = reinterpret_cast<std::uintptr_t>(table) % alignof(Table) == 0;
  // Its slot is the last member that this host knows.
  if (!aligned || table->struct_size < sizeof(Table) || table->*slot == nullptr) {
    return broken("extension", "the table of " + std::string(name) +
                                   " is not aligned, too small, or lacks \"" + slot_name + "\"");
  }
  return table;
}

Error Session::list_queues(const std::function<void(std::string_view)>& each, Deadline deadline) {
  const auto table = extension_table(SWAPMQ_EXTENSION_LIST_QUEUES, &swapmq_list_queues::list,
                                     "list", "list its queues");
  if (!table) return table.error();
  Listing listing{each, nullptr, false};
  Error error = call("list_queues", &deadline, [&](swapmq_error* failed) {
    return (*table)->list(handle_, &Listing::name, &listing, to_ns(deadline), failed);
  });
  if (listing.thrown) std::rethrow_exception(listing.thrown);
  if (!error && listing.broken) return broken("list_queues", "a queue's name has no bytes");
  return error;
}

template <class Call>
Received Session::receive_by(const char* name, std::size_t max_messages, Deadline deadline,
                             const Call& function) {
  Received received;
  const std::size_t cap = backend_->limits().max_receive_batch;
  if (cap != 0) max_messages = std::min(max_messages, cap);
  swapmq_batch* batch = nullptr;
  swapmq_status status = SWAPMQ_INTERNAL;
  received.error = call(name, &deadline, [&](swapmq_error* failed) {
    status = function(max_messages, &batch, failed);
    return status;
  });
  if (Error error = take_batch(name, status, batch, max_messages, received)) {
    received.error = error;
  }
  received.session_dead = dead_;
  return received;
}

bool Session::can_claim_delayed() const {
  return vtable().extension(SWAPMQ_EXTENSION_CLAIM_DELAYED) != nullptr;
}

Received Session::claim_delayed(swapmq_subscription* subscription, std::size_t max_messages,
                                std::uint64_t max_bytes, Deadline deadline) {
  const auto table = extension_table(SWAPMQ_EXTENSION_CLAIM_DELAYED, &swapmq_claim_delayed::claim,
                                     "claim", "hand out what is delayed");
  if (!table) return {table.error(), false, dead_, nullptr};
  return receive_by("claim_delayed", max_messages, deadline,
                    [&](std::size_t most, swapmq_batch** batch, swapmq_error* failed) {
                      return (*table)->claim(handle_, subscription, most, max_bytes,
                                             to_ns(deadline), batch, failed);
                    });
}

Received Session::peek(swapmq_queue* queue, std::size_t max_messages, std::uint64_t max_bytes,
                       Deadline deadline) {
  const auto table = extension_table(SWAPMQ_EXTENSION_PEEK, &swapmq_peek::peek, "peek",
                                     "show messages without taking them");
  if (!table) return {table.error(), false, dead_, nullptr};
  return receive_by("peek", max_messages, deadline,
                    [&](std::size_t most, swapmq_batch** batch, swapmq_error* failed) {
                      return (*table)->peek(handle_, queue, most, max_bytes, to_ns(deadline), batch,
                                            failed);
                    });
}

} // namespace swapmq::plugin
