// SPDX-License-Identifier: MIT
//
// Handing out what waits for its time, to be moved elsewhere. A claimed entry stays where it is,
// pending in our name: in the group of the stream if it had come back with a delay, in that of
// `later` if it was published with one. `claimed` keeps its time, so that whoever gives it back, we
// or who finds us dead, lets it wait for that again. Scripts do all of it.
#include <algorithm>
#include <set>
#include <utility>

#include "answers.hpp"
#include "consumer.hpp"
#include "entry.hpp"
#include "redis_batch.hpp"
#include "scripts.hpp"
#include "server_error.hpp"

namespace swapmq::redis {
namespace {

using backend::Deadline;

constexpr std::string_view kClaiming = "to claim what is delayed";
constexpr std::string_view kOfLater = "later:";
constexpr milliseconds kLookAtLeastEvery(50);

const char* word_of(int32_t action) {
  return action == SWAPMQ_SETTLE_ACK ? "ack" : action == SWAPMQ_SETTLE_NACK ? "nack" : "release";
}

} // namespace

/// A claimed entry: four replies.
struct Consumer::ClaimedEntry {
  EntryId id;
  bool later = false;
  const Reply* fields = nullptr;
  uint32_t deliveries = 0; // so far
  int64_t due_ms = 0;
  std::string_view text; // the id's

  /// Moves on to the next one.
  static ClaimedEntry read(const Reply*& at) {
    ClaimedEntry read;
    read.text = at->text;
    read.later = read.text.starts_with(kOfLater);
    if (read.later) read.text.remove_prefix(kOfLater.size());
    if (!parse(read.text, read.id)) no_answer(kClaiming);
    read.fields = at->next;
    at = at->next->next;
    read.deliveries = static_cast<uint32_t>(expect_integer(*at, 0, UINT32_MAX, kClaiming));
    at = at->next;
    read.due_ms = expect_integer(*at, 0, INT64_MAX, kClaiming);
    at = at->next;
    return read;
  }
};

std::unique_ptr<backend::Batch> Consumer::claim_delayed(const backend::ClaimArgs& args) {
  const Deadline deadline = network::at_least(args.deadline, context_.options.settle_grace);
  renew_if_due(deadline);
  if (must_recover_ && reading_ == 0 && !group_is_gone_) recover(deadline);
  const std::size_t held = slots_.used() + reading_;
  const std::size_t room = prefetch_ > held ? prefetch_ - held : 0;
  const std::size_t asked = std::min({args.max_messages, room, context_.options.script_batch});
  for (bool again = asked > 0; again;) {
    auto batch = claim_once(args, std::min(asked, read_size_.entries()), deadline, again);
    if (batch != nullptr) return batch;
    again = again && !args.deadline.passed();
  }
  return nullptr;
}

/// `again`: it met so much that had ended that there may be others behind.
std::unique_ptr<backend::Batch> Consumer::claim_once(const backend::ClaimArgs& args,
                                                     std::size_t asked, Deadline deadline,
                                                     bool& again) {
  const Clock::time_point now = Clock::now();
  const bool look_for_dead = now >= look_for_dead_claims_;
  has_claimed_ = true;
  const bool had_to_recover = std::exchange(must_recover_, true); // unless the answer comes
  OwnedReply reply = context_.control.use(deadline, [&](Connection& connection) {
    const auto append = [&] {
      begin_call(
          connection, scripts::claim(),
          {keys_.stream, keys_.due, keys_.scheduled, keys_.later, keys_.expiry, keys_.claimed}, 7)
          .arg(keys_.group)
          .arg(name_)
          .arg(asked)
          .arg(args.max_bytes)
          .arg(lease_.count())
          .arg(look_for_dead ? 1 : 0)
          .arg(keys_.alive(""));
    };
    append();
    return finish_script(connection, deadline, append, ReplyReader::kMostBytes);
  });
  if (reply->is_error()) {
    must_recover_ = had_to_recover;
    throw server_failure(kClaiming, reply->text);
  }
  const std::shared_ptr<Arena> arena = std::move(reply.arena);
  again = expect_integer(*expect_array(*reply, 1, kClaiming), 0, INT64_MAX, kClaiming) > 0;
  auto batch = take_claimed(*reply, arena);
  must_recover_ = had_to_recover;
  if (look_for_dead) {
    look_for_dead_claims_ =
        now + std::clamp(lease_ / 4, kLookAtLeastEvery, context_.options.rescue_interval);
  }
  return batch;
}

/// Null if there is none. Where it throws, the book knows of none of them, and recover() gives them
/// back.
std::unique_ptr<backend::Batch> Consumer::take_claimed(const Reply& reply,
                                                       const std::shared_ptr<Arena>& arena) {
  if (reply.count % 4 != 1) no_answer(kClaiming);
  if (reply.count == 1) return nullptr;
  if (has_lapsed_) forget_lost_claims(reply);
  const uint32_t count = reply.count / 4;
  auto batch = std::make_unique<RedisBatch>();
  batch->reserve(count);
  batch->keep(arena);
  std::vector<uint32_t> added;
  added.reserve(count);
  try {
    for (const Reply* at = reply.first->next; at != nullptr;) {
      const ClaimedEntry entry = ClaimedEntry::read(at);
      auto* message = arena->make<swapmq_message>();
      const bool good = decode(entry.text, *entry.fields, *arena, *message);
      added.push_back(
          slots_.add_claimed(entry.id, entry.later, entry.deliveries, message->expires_at_ms));
      add_claim(*batch, entry, *message, good, added.back());
    }
  } catch (...) {
    for (const uint32_t slot : added) slots_.remove(slot);
    throw;
  }
  read_size_.came(count, arena->used());
  return batch;
}

void Consumer::add_claim(backend::Batch& batch, const ClaimedEntry& entry, swapmq_message& message,
                         bool good, uint32_t slot) {
  message.due_at_ms = entry.due_ms;
  uint32_t flags = 0;
  if (!good) {
    flags |= SWAPMQ_DELIVERY_UNDECODABLE;
    context_.host.count("undecodable_entries");
  }
  if (entry.deliveries > 0 || message.delivery_count > 0) flags |= SWAPMQ_DELIVERY_REDELIVERED;
  const uint64_t count = uint64_t{entry.deliveries} + message.delivery_count + 1;
  batch.add(&message, slots_.receipt(slot).bytes(),
            static_cast<uint32_t>(std::min<uint64_t>(count, UINT32_MAX)), flags);
}

/// Taken from us while we gave no sign of life, and now ours again: by a new claim, of which the
/// server's count tells nothing.
void Consumer::forget_lost_claims(const Reply& reply) {
  std::set<std::pair<bool, EntryId>> again;
  for (const Reply* at = reply.first->next; at != nullptr;) {
    const ClaimedEntry entry = ClaimedEntry::read(at);
    again.emplace(entry.later, entry.id);
  }
  slots_.remove_if([&](const Slot& slot) {
    return slot.claimed && again.contains({slot.later, slot.id});
  });
}

// ---- settling -----------------------------------------------------------------------------------

void Consumer::begin_settling_claims(Connection& connection, std::size_t count) {
  begin_call(connection, scripts::settle_claimed(),
             {keys_.stream, keys_.due, keys_.scheduled, keys_.later, keys_.expiry, keys_.claimed},
             2 + 4 * count)
      .arg(keys_.group)
      .arg(name_);
}

void Consumer::append_claim(Commands& out, const Slot& slot, int32_t action, int64_t due_at_ms) {
  out.arg(claimed_member(slot)).arg(word_of(action)).arg(due_at_ms).arg(slot.deliveries);
}

void Consumer::settle_claims(Call& call) {
  over_control(call, call.claims, [&](Connection& connection) {
    const std::size_t most = context_.options.script_batch;
    for (std::size_t from = 0; from < call.claims.size(); from += most) {
      const std::size_t count = std::min(most, call.claims.size() - from);
      const auto part = std::span(call.claims).subspan(from, count);
      const OwnedReply reply = run_script(connection, call.deadline, [&] {
        begin_settling_claims(connection, count);
        for (const Given& given : part) {
          const swapmq_settlement& settlement = call.args.settlements[given.settlement];
          append_claim(connection.out(), slots_[given.slot], settlement.action,
                       std::max<int64_t>(0, settlement.due_at_ms));
        }
      });
      read_verdicts(call, part, *reply);
    }
  });
  take_at_ = Clock::now(); // to see when it is due
}

/// What is pending of `later` in our name, and came to a connection that was lost.
void Consumer::release_unknown(Connection& connection, const std::vector<const Reply*>& unknown,
                               Deadline deadline) {
  const OwnedReply given = run_script(connection, deadline, [&] {
    begin_settling_claims(connection, unknown.size());
    for (const Reply* entry : unknown) { // id, consumer, idle, deliveries
      Slot slot;
      if (!parse(entry->first->text, slot.id)) no_answer(kClaiming);
      slot.later = true;
      slot.deliveries = static_cast<uint32_t>(entry->last->integer);
      append_claim(connection.out(), slot, SWAPMQ_SETTLE_RELEASE, 0);
    }
  });
  expect_array(*given, static_cast<uint32_t>(unknown.size()), "to give back");
  context_.host.count("recovered_entries", unknown.size());
}

} // namespace swapmq::redis
