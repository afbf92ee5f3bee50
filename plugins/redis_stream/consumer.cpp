// SPDX-License-Identifier: MIT
#include "consumer.hpp"

#include <algorithm>
#include <set>

#include "answers.hpp"
#include "network/deadlines.hpp"
#include "network/nonce.hpp"
#include "queue_admin.hpp"
#include "scripts.hpp"
#include "server_error.hpp"
#include "session.hpp"

namespace swapmq::redis {
namespace {

using backend::Deadline;

// Between two looks whether a queue that was deleted is there again.
constexpr milliseconds kHealEvery(100);
constexpr milliseconds kServiceGrace(200);
constexpr std::string_view kSignOfLife = "a consumer's sign of life";

/// Who it is, and how long its lease is: whoever finds its sign of life gone must know.
std::string consumer_name(const ConsumerContext& context, milliseconds lease, uint64_t nonce) {
  constexpr std::size_t kMost = 255;
  constexpr std::size_t kRest = 48; // of what is not the identity
  const std::string& id =
      context.options.consumer_id.empty() ? context.identity : context.options.consumer_id;
  return std::string(kOwnKeys) + id.substr(0, kMost - kRest) + ":" + std::to_string(lease.count()) +
         "ms:" + network::hex(nonce);
}

} // namespace

Consumer::Consumer(const ConsumerContext& context, const RedisQueue& queue,
                   const swapmq_subscribe_args& args)
    : context_(context),
      keys_(queue.keys()),
      slots_(network::make_nonce()),
      lease_(args.lease_ms > 0 ? milliseconds(args.lease_ms) : context.options.lease),
      name_(consumer_name(context, lease_, slots_.nonce())),
      alive_(keys_.alive(name_)),
      prefetch_(args.prefetch),
      reader_(context.dialer, context.host),
      read_size_(context.options.read_batch_bytes) {
  Commands command;
  command.arg("XREADGROUP").arg("GROUP").arg(keys_.group).arg(name_).arg("COUNT");
  read_command_ = command.bytes();
  join(Deadline(args.deadline_ns));
}

void Consumer::join(Deadline deadline) {
  // Without memory for more, a group that is there can be read from all the same.
  context_.control.use(deadline, [&](Connection& connection) {
    append_group_creation(connection.out(), keys_, true);
    const OwnedReply created = connection.read(deadline);
    if (!has_code(created->text, "OOM")) expect_group(*created);
  });
  reader_.open(deadline); // here there is time for it
  // Last, so that what fails before leaves no sign of a consumer that never was.
  const Clock::time_point began = Clock::now();
  context_.control.use(deadline, [&](Connection& connection) {
    connection.out().add("SET", alive_, "1", "PX", lease_.count());
    const OwnedReply alive = connection.read(deadline);
    if (!has_code(alive->text, "OOM")) expect_status(*alive, "OK", kSignOfLife);
  });
  lease_until_ = began + lease_;
  renew_at_ = began + lease_ / 3;
}

void Consumer::service(Deadline deadline) {
  // A deadline that has passed must not cost the connection, on which an answer would be due.
  renew_if_due(network::at_least(deadline, kServiceGrace));
}

void Consumer::renew_if_due(Deadline deadline) {
  const Clock::time_point began = Clock::now();
  if (began < renew_at_) return;
  context_.control.use(deadline, [&](Connection& connection) {
    connection.out().add("PEXPIRE", alive_, lease_.count());
    if (expect_integer(*connection.read(deadline), 0, 1, "to renew a lease") == 1) return;
    lapsed();
    connection.out().add("SET", alive_, "1", "PX", lease_.count());
    expect_status(*connection.read(deadline), "OK", kSignOfLife);
  });
  lease_until_ = began + lease_;
  renew_at_ = began + lease_ / 3;
}

/// Others may have taken what we hold: from now on each settlement of it looks first.
void Consumer::lapsed() {
  has_lapsed_ = true;
  if (slots_.used() == 0) return;
  slots_.suspect_all();
  context_.host.count("lapsed_leases");
  context_.host.log(SWAPMQ_LOG_WARN,
                    "the lease of " + name_ + " on \"" + keys_.stream +
                        "\" ended before it was renewed: others may have taken over what it holds");
}

/// A queue that was deleted is not made again by those who wait for it, only by who publishes; a
/// group alone is.
void Consumer::heal_group(Deadline deadline) {
  if (Clock::now() < heal_at_) return;
  heal_at_ = Clock::now() + kHealEvery;
  context_.control.use(deadline, [&](Connection& connection) {
    append_group_creation(connection.out(), keys_, false);
    const OwnedReply created = connection.read(deadline);
    if (created->is_error() && created->text.find("requires the key") != std::string_view::npos) {
      return;
    }
    expect_group(*created);
    group_is_gone_ = false;
  });
  if (group_is_gone_) return;
  must_recover_ = true;
  context_.host.count("groups_recreated");
  context_.host.log(SWAPMQ_LOG_WARN,
                    "the group of \"" + keys_.stream + "\" is there again, from its beginning");
}

/// What is pending in our name, and is not in the book, came to a connection that was lost: it goes
/// back uncounted. And what the book has and the server has not was deleted, or is another's now.
void Consumer::recover(Deadline deadline) {
  context_.control.use(deadline, [&](Connection& connection) {
    recover_of(connection, false, deadline);
    if (has_claimed_) recover_of(connection, true, deadline);
  });
  std::erase_if(waiting_, [&](const Waiting& waiting) { return !slots_[waiting.slot].used; });
  must_recover_ = false;
  excess_seen_ = false;
  take_at_ = Clock::now();
}

/// Of the stream, or of `later`.
void Consumer::recover_of(Connection& connection, bool later, Deadline deadline) {
  constexpr std::size_t kPart = 1000;
  constexpr std::string_view kDoing = "to list what is pending";
  std::set<EntryId> known;
  std::set<EntryId> pending;
  slots_.for_each([&](const Slot& slot) {
    if (slot.later == later) known.insert(slot.id);
  });
  std::string from = "-";
  for (bool more = true; more;) {
    const std::string& key = later ? keys_.later : keys_.stream;
    connection.out().add("XPENDING", key, keys_.group, from, "+", kPart, name_);
    const OwnedReply reply = connection.read(deadline);
    if (has_code(reply->text, "NOGROUP")) break; // nothing is pending then
    std::vector<const Reply*> unknown;
    const Reply* entry = expect_array(*reply, 0, kDoing);
    for (; entry != nullptr; entry = entry->next) {
      EntryId id;
      if (entry->count < 4 || !parse(entry->first->text, id)) no_answer(kDoing);
      from = "(" + std::string(entry->first->text);
      if (!known.contains(id)) unknown.push_back(entry);
      pending.insert(id);
    }
    if (!unknown.empty() && later) release_unknown(connection, unknown, deadline);
    if (!unknown.empty() && !later) give_back_unknown(connection, unknown, deadline);
    more = reply->count == kPart;
  }
  slots_.remove_if([&](const Slot& slot) {
    return slot.later == later && !slot.settling && !pending.contains(slot.id);
  });
}

void Consumer::give_back_unknown(Connection& connection, const std::vector<const Reply*>& unknown,
                                 Deadline deadline) {
  const OwnedReply given = run_script(connection, deadline, [&] {
    Commands& out =
        begin_call(connection, scripts::give_back(),
                   {keys_.stream, keys_.due, keys_.expiry, keys_.claimed}, 2 + 5 * unknown.size());
    out.arg(keys_.group).arg(name_);
    for (const Reply* entry : unknown) { // id, consumer, idle, deliveries
      const int64_t deliveries = entry->last->integer;
      out.arg(entry->first->text).arg(deliveries).arg(std::max<int64_t>(0, deliveries - 1));
      out.arg(0).arg(0);
    }
  });
  expect_array(*given, static_cast<uint32_t>(unknown.size()), "to give back");
  context_.host.count("recovered_entries", unknown.size());
}

/// Less may be pending in our name than we think, where a queue was deleted and made again. And
/// more than we know of: on its way to us, or lost on it.
void Consumer::compare_pending(int64_t at_server) {
  const auto known = static_cast<int64_t>(slots_.of_stream());
  if (at_server < known) must_recover_ = true;
  const bool excess = at_server > known;
  // What is on its way is here by the time of the next look.
  if (excess && excess_seen_) {
    reader_.drop();
    reading_ = 0;
    must_recover_ = true;
  }
  excess_seen_ = excess;
}

void Consumer::leave() {
  waiting_.clear();
  // Closing must not hang on a server that does not answer; the lease does the rest.
  const milliseconds patience = context_.options.close_timeout;
  const Deadline deadline = network::in(patience);
  if (context_.control.live() == nullptr) {
    reader_.drop(); // no connection is made for it: the lease does it
    return;
  }
  try {
    stop_read(deadline, patience);
  } catch (const backend::Failure&) { // then what it brings meanwhile goes by the lease
    context_.control.drop();
  }
  reader_.drop();
  reading_ = 0;
  context_.control.use(deadline, [&](Connection& connection) {
    for (;;) {
      const OwnedReply left = run_script(connection, deadline, [&] {
        begin_call(connection, scripts::leave(),
                   {keys_.stream, keys_.due, keys_.scheduled, keys_.later, keys_.expiry,
                    keys_.claimed, alive_},
                   2)
            .arg(keys_.group)
            .arg(name_);
      });
      if (expect_integer(*left, 0, 1, "to take back what is held") == 0) return;
    }
  });
}

} // namespace swapmq::redis
