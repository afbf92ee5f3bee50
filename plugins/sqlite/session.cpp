// SPDX-License-Identifier: MIT
#include "session.hpp"

#include <algorithm>
#include <utility>

#include "claims.hpp"
#include "consumers.hpp"
#include "lanes.hpp"
#include "peek.hpp"
#include "publish.hpp"
#include "queue_admin.hpp"
#include "schema.hpp"
#include "session_call.hpp"

namespace swapmq::sqlite {
namespace {

using backend::Deadline;
using backend::Failure;

constexpr std::size_t kMaxQueueName = 255;
// Closing must not hang on a file that another program keeps locked; the lease does the rest.
constexpr std::chrono::seconds kPatienceAtClose(2);

SqliteQueue& ours(backend::Queue& queue) { return static_cast<SqliteQueue&>(queue); }

Deadline in(std::chrono::nanoseconds time) {
  return Deadline((Deadline::Clock::now() + time).time_since_epoch().count());
}

} // namespace

// ---- Backend ------------------------------------------------------------------------------------

Backend::Backend(const backend::OpenArgs& args)
    : host_(args.host),
      options_(parse_options(args.options_json)),
      file_(SharedFile::open(options_.path)),
      keeper_(std::make_unique<Database>(file_, options_, args.deadline)) {
  file_->check_undamaged();
  prepare_schema(*keeper_);
}

void Backend::describe(swapmq_capabilities& capabilities, swapmq_limits&) const {
  capabilities.durability = options_.synchronous == Synchronous::kFull ? SWAPMQ_DURABILITY_POWER
                                                                       : SWAPMQ_DURABILITY_PROCESS;
}

// ---- SqliteSession ------------------------------------------------------------------------------

SqliteSession::SqliteSession(Backend& backend, int32_t /*role*/, Deadline deadline)
    : backend_(backend), database_(backend.file(), backend.options(), deadline) {}

void SqliteSession::ping(Deadline deadline) {
  call(deadline, [&] {
    database_.file().check_in_place();
    Query query(database_, "SELECT count(*) FROM owners");
    query.step();
  });
}

std::unique_ptr<backend::Queue> SqliteSession::open_queue(std::string_view name,
                                                          const swapmq_queue_spec& spec) {
  if (name.empty() || name.size() > kMaxQueueName) {
    throw Failure(SWAPMQ_INVALID_ARGUMENT,
                  "a queue name has 1 to 255 bytes, this one has " + std::to_string(name.size()));
  }
  if (name.find('\0') != std::string_view::npos) {
    throw Failure(SWAPMQ_INVALID_ARGUMENT, "a queue name holds a NUL byte");
  }
  // Claims are made one transaction after the other, so strict order is what there is anyway.
  constexpr uint64_t kMost = uint64_t{1} << 62;
  return std::make_unique<SqliteQueue>(name, std::min(spec.max_length, kMost));
}

void SqliteSession::create_queue(backend::Queue& queue, Deadline deadline) {
  call(deadline,
       [&] { sqlite::create_queue(database_, ours(queue).name(), ours(queue).max_length()); });
}

void SqliteSession::delete_queue(backend::Queue& queue, Deadline deadline) {
  call(deadline, [&] { sqlite::delete_queue(database_, ours(queue).name()); });
}

void SqliteSession::queue_stats(backend::Queue& queue, swapmq_queue_stats& stats,
                                Deadline deadline) {
  call(deadline, [&] {
    database_.file().check_in_place();
    if (database_.file().take_watch()) return_claims_of_the_dead(database_, backend_.host());
    read_queue_stats(database_, ours(queue).name(), stats);
  });
}

uint64_t SqliteSession::purge_queue(backend::Queue& queue, Deadline deadline) {
  return call(deadline, [&] { return sqlite::purge_queue(database_, ours(queue).name()); });
}

void SqliteSession::publish(backend::Queue& queue, backend::Messages messages,
                            backend::PublishResults results, Deadline deadline) {
  if (messages.size() > kMaxBatch) {
    throw Failure(SWAPMQ_TOO_LARGE,
                  "publish: more than " + std::to_string(kMaxBatch) + " messages in one call");
  }
  call(deadline, [&] {
    database_.file().check_undamaged();
    publish_messages(
        database_, {ours(queue).name(), ours(queue).max_length(), backend_.options().max_messages},
        messages, results);
  });
}

std::unique_ptr<backend::Subscription> SqliteSession::subscribe(backend::Queue& queue,
                                                                const swapmq_subscribe_args& args) {
  return call(Deadline(args.deadline_ns), [&]() -> std::unique_ptr<backend::Subscription> {
    database_.file().check_undamaged();
    // The first thing a consumer that comes back wants is what it held when it died.
    return_claims_of_the_dead(database_, backend_.host());
    if (!find_queue(database_, ours(queue).name())) {
      sqlite::create_queue(database_, ours(queue).name(), ours(queue).max_length());
    }
    const int64_t lease_ms = args.lease_ms > 0 ? args.lease_ms : backend_.options().lease.count();
    auto made = std::make_unique<SqliteSubscription>(ours(queue), args.prefetch, lease_ms);
    subscriptions_.push_back(made.get());
    return made;
  });
}

void SqliteSession::unsubscribe(backend::Subscription& subscription) {
  auto& ended = static_cast<SqliteSubscription&>(subscription);
  std::erase(subscriptions_, &ended);
  const int64_t consumer = std::exchange(ended.consumer, 0);
  if (consumer == 0) return;
  try {
    call(in(kPatienceAtClose), [&] {
      WriteTransaction transaction(database_);
      Lanes lanes(database_);
      return_claims(database_, transaction, lanes, consumer, false);
      lanes.save();
      transaction.commit();
    });
  } catch (...) {
    // Whoever next looks for the dead in this process does it; without any, the lease ends.
    database_.file().add_orphan(consumer);
    throw;
  }
}

void SqliteSession::service(Deadline deadline) {
  call(deadline, [&] {
    database_.file().check_in_place();
    renew_leases();
    if (database_.file().take_watch()) return_claims_of_the_dead(database_, backend_.host());
  });
}

void SqliteSession::interrupt() noexcept {
  interrupted_.store(true);
  // Set before it looks at `interrupted_`: so either it sees the flag, or this sees the slot.
  const uint32_t slot = waits_on_.load();
  if (slot != kNotWaiting) database_.file().peers().wake(slot);
}

std::unique_ptr<backend::Batch> SqliteSession::peek(backend::Queue& queue,
                                                    const backend::PeekArgs& args) {
  return call(args.deadline, [&] {
    database_.file().check_undamaged();
    return sqlite::peek(database_, ours(queue).name(), args);
  });
}

void SqliteSession::list_queues(const backend::QueueVisitor& visit, Deadline deadline) {
  const std::vector<std::string> names =
      call(deadline, [&] { return sqlite::list_queues(database_); });
  for (const std::string& name : names) visit(name);
}

} // namespace swapmq::sqlite
