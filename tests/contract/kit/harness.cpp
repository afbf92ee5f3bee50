// SPDX-License-Identifier: MIT
#include "harness.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "handles.h"

namespace swapmq::contract {

// ---- host and backend ---------------------------------------------------------------------------

LentHost::LentHost() {
  host_.struct_size = sizeof host_;
  host_.abi_version = SWAPMQ_ABI_VERSION;
  host_.context = this;
  host_.log_enabled = &LentHost::log_enabled;
  host_.log = &LentHost::log;
  host_.count = &LentHost::count;
}

void LentHost::used() {
  if (!lent_) ++late_;
}

std::int32_t LentHost::log_enabled(void* context, std::int32_t) {
  static_cast<LentHost*>(context)->used();
  return 1;
}

void LentHost::log(void* context, std::int32_t level, swapmq_bytes line) {
  static_cast<LentHost*>(context)->used();
  EXPECT_TRUE(level >= SWAPMQ_LOG_TRACE && level <= SWAPMQ_LOG_ERROR) << "log(): level " << level;
  EXPECT_EQ(view(line).find('\n'), std::string_view::npos) << "log(): more than one line";
}

void LentHost::count(void* context, const char* name, std::uint64_t) {
  static_cast<LentHost*>(context)->used();
  EXPECT_TRUE(name != nullptr && *name != '\0') << "count() without a name";
}

const swapmq_host& silent_host() {
  static const LentHost lent;
  return lent.host();
}

swapmq_open_args open_args(const swapmq_host& host) {
  swapmq_open_args args{};
  args.struct_size = sizeof args;
  args.host = &host;
  args.options_json = bytes(kit().options.options);
  args.instance = bytes("contract-kit");
  args.deadline_ns = soon();
  return args;
}

Backend::Backend() { open(); }

void Backend::open() {
  host_ = std::make_shared<LentHost>();
  const swapmq_open_args args = open_args(host_->host());
  ErrorProbe probe;
  const swapmq_status status = call("open", args.deadline_ns, probe, [&](swapmq_error* error) {
    return vt().open(&args, &raw_, error);
  });
  require_ok("open", status, probe);
  if (raw_ == nullptr) throw Breach("open() returned OK and no backend");
}

void Backend::close() {
  swapmq_backend* raw = std::exchange(raw_, nullptr);
  if (raw == nullptr) return;
  call("close", [&] { vt().close(raw); });
  host_->take_back();
  EXPECT_EQ(host_->late_calls(), 0u) << "the host's services were used after close()";
}

// ---- sessions -----------------------------------------------------------------------------------

Session::Session(swapmq_backend* backend, std::int32_t role)
    : handle_(std::make_shared<SessionHandle>()) {
  const std::int64_t deadline = soon();
  ErrorProbe probe;
  const swapmq_status status = call("session_open", deadline, probe, [&](swapmq_error* error) {
    return vt().session_open(backend, role, deadline, &handle_->raw, error);
  });
  require_ok("session_open", status, probe);
  if (handle_->raw == nullptr) throw Breach("session_open() returned OK and no session");
}

Session& Session::operator=(Session&& other) noexcept {
  if (this != &other) {
    close();
    handle_ = std::move(other.handle_);
  }
  return *this;
}

void Session::close() {
  if (handle_ == nullptr) return;
  swapmq_session* raw = std::exchange(handle_->raw, nullptr);
  if (raw == nullptr) return;
  call("session_close", [&] { vt().session_close(raw); });
}

swapmq_session* Session::raw() const { return handle_->raw; }

swapmq_status Session::try_queue(std::string_view name, const swapmq_queue_spec& spec,
                                 swapmq_queue** queue) {
  ErrorProbe probe;
  return call("queue_open", in(milliseconds(0)), probe, [&](swapmq_error* error) {
    return vt().queue_open(raw(), bytes(name), &spec, queue, error);
  });
}

swapmq_queue* Session::queue(std::string_view name, std::uint64_t max_length, std::uint32_t flags) {
  const swapmq_queue_spec spec{sizeof spec, flags, max_length};
  swapmq_queue* queue = nullptr;
  ErrorProbe probe;
  const swapmq_status status =
      call("queue_open", in(milliseconds(0)), probe, [&](swapmq_error* error) {
        return vt().queue_open(raw(), bytes(name), &spec, &queue, error);
      });
  require_ok("queue_open", status, probe);
  if (queue == nullptr) throw Breach("queue_open() returned OK and no queue");
  return queue;
}

namespace {
template <class F>
void must(const char* name, F&& function) {
  const std::int64_t deadline = soon();
  ErrorProbe probe;
  const swapmq_status status =
      call(name, deadline, probe, [&](swapmq_error* error) { return function(deadline, error); });
  require_ok(name, status, probe);
}
} // namespace

void Session::create(swapmq_queue* queue) {
  must("create_queue", [&](auto deadline, auto* error) {
    return vt().create_queue(raw(), queue, deadline, error);
  });
}

void Session::remove(swapmq_queue* queue) {
  must("delete_queue", [&](auto deadline, auto* error) {
    return vt().delete_queue(raw(), queue, deadline, error);
  });
}

swapmq_queue_stats Session::stats(swapmq_queue* queue) {
  swapmq_queue_stats stats{};
  stats.struct_size = sizeof stats;
  must("queue_stats", [&](auto deadline, auto* error) {
    return vt().queue_stats(raw(), queue, &stats, deadline, error);
  });
  return stats;
}

std::uint64_t Session::purge(swapmq_queue* queue) {
  std::uint64_t removed = 0;
  must("purge_queue", [&](auto deadline, auto* error) {
    return vt().purge_queue(raw(), queue, &removed, deadline, error);
  });
  return removed;
}

void Session::ping() {
  must("ping", [&](auto deadline, auto* error) { return vt().ping(raw(), deadline, error); });
}

void Session::service() {
  must("service", [&](auto deadline, auto* error) { return vt().service(raw(), deadline, error); });
}

void Session::interrupt() {
  call("interrupt", [&] { vt().interrupt(raw()); });
}

// ---- publishing ---------------------------------------------------------------------------------

swapmq_status Session::publish(swapmq_queue* queue, std::span<const Message> messages,
                               std::vector<swapmq_publish_result>& results,
                               std::int64_t deadline_ns) {
  Wire wire(messages);
  return publish(queue, wire, results, deadline_ns);
}

swapmq_status Session::publish(swapmq_queue* queue, Wire& wire,
                               std::vector<swapmq_publish_result>& results,
                               std::int64_t deadline_ns) {
  results.assign(wire.size(), swapmq_publish_result{SWAPMQ_PUBLISH_UNTOUCHED, 0, 0, 0});
  swapmq_publish_args args{};
  args.struct_size = sizeof args;
  args.message_size = wire.stride();
  args.result_size = sizeof(swapmq_publish_result);
  args.messages = wire.data();
  args.count = wire.size();
  args.results = results.data();
  args.deadline_ns = deadline_ns;
  ErrorProbe probe;
  const swapmq_status status = call("publish", deadline_ns, probe, [&](swapmq_error* error) {
    return vt().publish(raw(), queue, &args, error);
  });
  for (const auto& result : results) {
    if (result.outcome < SWAPMQ_PUBLISH_UNTOUCHED || result.outcome > SWAPMQ_PUBLISH_IN_DOUBT) {
      throw Breach("publish(): " + std::to_string(result.outcome) + " is no outcome");
    }
    if (status == SWAPMQ_OK && result.outcome == SWAPMQ_PUBLISH_UNTOUCHED) {
      throw Breach("publish() returned OK and left a result untouched");
    }
    const bool unhappy = result.outcome >= SWAPMQ_PUBLISH_FAILED;
    if (unhappy && (result.status <= SWAPMQ_OK || result.status >= SWAPMQ_STATUS_COUNT)) {
      throw Breach("publish(): a message is not confirmed and its status does not say why");
    }
  }
  return status;
}

std::vector<swapmq_publish_result> Session::publish(swapmq_queue* queue,
                                                    std::span<const Message> messages) {
  std::vector<swapmq_publish_result> results;
  const swapmq_status status = publish(queue, messages, results, soon());
  if (status != SWAPMQ_OK) {
    throw Breach(std::string("publish() returned ") + status_name(status));
  }
  return results;
}

void Session::confirm(swapmq_queue* queue, std::span<const Message> messages) {
  const std::size_t most = limits().max_publish_batch == 0
                               ? 4096
                               : std::min<std::size_t>(limits().max_publish_batch, 4096);
  for (std::size_t first = 0; first < messages.size(); first += most) {
    const auto part = messages.subspan(first, std::min(most, messages.size() - first));
    const auto results = publish(queue, part);
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (results[i].outcome == SWAPMQ_PUBLISH_CONFIRMED) continue;
      throw Breach("message " + std::to_string(first + i) +
                   " was not confirmed: " + status_name(results[i].status));
    }
  }
}

Subscription Session::subscribe(swapmq_queue* queue, std::uint32_t prefetch, milliseconds lease) {
  swapmq_subscribe_args args{};
  args.struct_size = sizeof args;
  args.prefetch = prefetch;
  args.lease_ms = lease.count();
  args.deadline_ns = soon();
  swapmq_subscription* subscription = nullptr;
  must("subscribe", [&](auto, auto* error) {
    return vt().subscribe(raw(), queue, &args, &subscription, error);
  });
  if (subscription == nullptr) throw Breach("subscribe() returned OK and no subscription");
  return {handle_, subscription};
}

} // namespace swapmq::contract
