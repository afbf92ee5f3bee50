// SPDX-License-Identifier: MIT
//
// Settling. An ack is an XDEL and an XACK, in this order: a crash in between leaves a pending entry
// without a message, which heals by itself, and not a message that nobody is owed. It is not
// fenced, since only who lost the lease may find others at its messages; all the rest is done by
// scripts, which are.
#include <algorithm>
#include <span>

#include "answers.hpp"
#include "consumer.hpp"
#include "entry.hpp"
#include "publish.hpp"
#include "scripts.hpp"
#include "server_error.hpp"
#include "session.hpp"

namespace swapmq::redis {
namespace {

/// Of so many at most.
bool is_count(const Brief& answer, std::size_t most) {
  return answer.type == REDIS_REPLY_INTEGER && answer.integer >= 0 &&
         answer.integer <= static_cast<int64_t>(most);
}

/// 1 done, 0 no longer ours, 2 no room for it.
swapmq_status status_of_verdict(const Reply& verdict) {
  switch (expect_integer(verdict, 0, 2, "to settle")) {
    case 1:
      return SWAPMQ_OK;
    case 2:
      return SWAPMQ_RESOURCE_EXHAUSTED;
    default:
      return SWAPMQ_LOST;
  }
}

} // namespace

/// By what is to be done; what is not ours has its result then.
void Consumer::sort(Call& call) {
  const bool sure = lease_is_sure();
  const backend::Settlements& settlements = call.args.settlements;
  for (std::size_t i = 0; i < settlements.size(); ++i) {
    const std::optional<uint32_t> slot = slots_.find(settlements[i].delivery->receipt);
    if (!slot) {
      call.args.settlement_results[i] = SWAPMQ_LOST;
      continue;
    }
    slots_[*slot].settling = true;
    const Given given{i, *slot};
    const bool claimed = slots_[*slot].claimed;
    if (claimed && settlements[i].action != SWAPMQ_SETTLE_DEAD_LETTER) {
      call.claims.push_back(given);
      continue;
    }
    switch (settlements[i].action) {
      case SWAPMQ_SETTLE_ACK:
        (sure && !slots_[*slot].suspect ? call.acks : call.fenced).push_back(given);
        break;
      case SWAPMQ_SETTLE_DEAD_LETTER:
        call.dead.push_back(given);
        break;
      default:
        call.returned.push_back(given);
    }
  }
}

void Consumer::settle_by_script(Call& call) {
  if (!call.fenced.empty()) ack_fenced(call);
  if (!call.returned.empty()) give_back(call);
  if (!call.claims.empty()) settle_claims(call);
  for (const Given& given : call.dead) dead_letter(call, given);
}

void Consumer::settled(const Call& call, const Given& given, swapmq_status status) {
  if (given.settlement != kNone) call.args.settlement_results[given.settlement] = status;
  if (status == SWAPMQ_OK || status == SWAPMQ_LOST) {
    slots_.remove(given.slot);
  } else {
    slots_[given.slot].settling = false; // still ours
  }
}

/// Their answer was lost with the connection.
void Consumer::lose(const Call& call, const std::vector<Given>& given) {
  for (const Given& one : given) {
    const bool open = one.settlement == kNone ||
                      call.args.settlement_results[one.settlement] == SWAPMQ_STATUS_UNTOUCHED;
    if (open) settled(call, one, SWAPMQ_LOST);
  }
  must_recover_ = true; // those that were not done are still pending in our name
}

/// What could not be tried may be given again.
void Consumer::still_held(const Call& call) {
  for (const auto* given : {&call.acks, &call.fenced, &call.returned, &call.dead, &call.claims}) {
    for (const Given& one : *given) {
      slots_[one.slot].settling = false;
      if (one.settlement != kNone) continue;
      // Nobody will give it again: it goes back, and who takes it drops it.
      slots_.remove(one.slot);
      must_recover_ = true;
    }
  }
}

// ---- acks ---------------------------------------------------------------------------------------

void Consumer::append_acks(Connection& connection, Call& call) {
  Commands& out = connection.out();
  EntryIdText text;
  const std::size_t most = context_.options.ack_batch; // their answer is only how many
  for (std::size_t from = 0; from < call.acks.size(); from += most) {
    const std::size_t count = std::min(most, call.acks.size() - from);
    out.begin(2 + count).arg("XDEL").arg(keys_.stream);
    const std::size_t ids = out.size();
    for (std::size_t i = from; i < from + count; ++i) {
      out.arg(text.become(slots_[call.acks[i].slot].id));
    }
    const std::size_t size = out.size() - ids;
    out.begin(3 + count).arg("XACK").arg(keys_.stream).arg(keys_.group).again(ids, size);
  }
  call.acks_sent = !call.acks.empty();
}

void Consumer::read_acks(Connection& connection, Call& call) {
  const std::size_t most = context_.options.ack_batch;
  for (std::size_t from = 0; from < call.acks.size(); from += most) {
    const std::size_t count = std::min(most, call.acks.size() - from);
    Brief deleted;
    Brief acked;
    connection.read(deleted, call.deadline);
    connection.read(acked, call.deadline);
    const Brief& refusal = deleted.type == REDIS_REPLY_ERROR ? deleted : acked;
    swapmq_status status = SWAPMQ_OK;
    std::size_t lost = 0; // the first so many of them
    if (refusal.type == REDIS_REPLY_ERROR) {
      status = meaning_of(refusal.text).status;
      context_.host.log(SWAPMQ_LOG_WARN, server_failure("an ack", refusal.text).what());
    } else if (!is_count(deleted, count) || !is_count(acked, count)) {
      no_answer("an ack");
    } else if (acked.integer != static_cast<int64_t>(count)) {
      // Which of them the number does not say. While the lease holds, none is another consumer's:
      // they went with a stream that was deleted, and those of the new one have greater ids.
      lost = count - static_cast<std::size_t>(acked.integer);
      std::sort(call.acks.begin() + static_cast<std::ptrdiff_t>(from),
                call.acks.begin() + static_cast<std::ptrdiff_t>(from + count),
                [&](const Given& one, const Given& other) {
                  return slots_[one.slot].id < slots_[other.slot].id;
                });
      context_.host.count("lost_acks", lost);
    }
    for (std::size_t i = 0; i < count; ++i) {
      settled(call, call.acks[from + i], i < lost ? SWAPMQ_LOST : status);
    }
  }
  call.acks.clear();
  call.acks_sent = false;
}

void Consumer::flush_acks(Call& call) {
  if (call.acks.empty()) return;
  context_.control.use(call.deadline, [&](Connection& connection) {
    append_acks(connection, call);
    read_acks(connection, call);
  });
}

// ---- by script ----------------------------------------------------------------------------------

void Consumer::ack_fenced(Call& call) {
  over_control(call, call.fenced, [&](Connection& connection) {
    const std::size_t most = context_.options.script_batch;
    for (std::size_t from = 0; from < call.fenced.size(); from += most) {
      const std::size_t count = std::min(most, call.fenced.size() - from);
      const auto part = std::span(call.fenced).subspan(from, count);
      const OwnedReply reply = run_script(connection, call.deadline, [&] {
        Commands& out =
            begin_call(connection, scripts::ack_fenced(), {keys_.stream}, 2 + 2 * count);
        out.arg(keys_.group).arg(name_);
        for (const Given& given : part) {
          const Slot& slot = slots_[given.slot];
          out.arg(EntryIdText(slot.id).text()).arg(slot.deliveries);
        }
      });
      read_verdicts(call, part, *reply);
    }
  });
}

void Consumer::give_back(Call& call) {
  over_control(call, call.returned, [&](Connection& connection) {
    const std::size_t most = context_.options.script_batch;
    for (std::size_t from = 0; from < call.returned.size(); from += most) {
      const std::size_t count = std::min(most, call.returned.size() - from);
      const auto part = std::span(call.returned).subspan(from, count);
      const OwnedReply reply = run_script(connection, call.deadline, [&] {
        Commands& out =
            begin_call(connection, scripts::give_back(),
                       {keys_.stream, keys_.due, keys_.expiry, keys_.claimed}, 2 + 5 * count);
        out.arg(keys_.group).arg(name_);
        for (const Given& given : part) append_return(out, call, given);
      });
      read_verdicts(call, part, *reply);
    }
  });
}

void Consumer::append_return(Commands& out, const Call& call, const Given& given) {
  const Slot& slot = slots_[given.slot];
  const swapmq_settlement& settlement = call.args.settlements[given.settlement];
  const bool counts = settlement.action == SWAPMQ_SETTLE_NACK;
  const int64_t now_ms = backend::unix_now_ms();
  const int64_t due = counts && settlement.due_at_ms > now_ms ? settlement.due_at_ms : 0;
  out.arg(EntryIdText(slot.id).text()).arg(slot.deliveries);
  out.arg(counts ? slot.deliveries : slot.deliveries - 1); // to take it again will add one
  out.arg(due).arg(slot.expires_ms);
  const auto wait = milliseconds(due == 0 ? 0 : due - now_ms);
  if (wait < std::chrono::hours(1)) take_at_ = std::min(take_at_, Clock::now() + wait);
}

/// What a script says of each entry.
void Consumer::read_verdicts(const Call& call, std::span<const Given> part, const Reply& reply) {
  if (reply.is_error()) {
    for (const Given& given : part) settled(call, given, meaning_of(reply.text).status);
    context_.host.log(SWAPMQ_LOG_WARN, server_failure("to settle", reply.text).what());
    return;
  }
  if (reply.count != part.size()) no_answer("to settle");
  const Reply* verdict = reply.first;
  for (const Given& given : part) {
    settled(call, given, status_of_verdict(*verdict));
    verdict = verdict->next;
  }
}

void Consumer::dead_letter(Call& call, const Given& given) {
  const swapmq_settlement& settlement = call.args.settlements[given.settlement];
  const auto& target =
      static_cast<const RedisQueue&>(*reinterpret_cast<backend::Queue*>(settlement.target));
  const backend::DeadLetter dead(settlement);
  const swapmq_message& letter = dead.message();
  if (letter.header_count > kMaxHeaderCount) return settled(call, given, SWAPMQ_TOO_LARGE);

  over_control(call, {given}, [&](Connection& connection) {
    const OwnedReply reply = run_script(connection, call.deadline, [&] {
      const Slot& slot = slots_[given.slot];
      const std::string& key = slot.later ? keys_.later : keys_.stream;
      Commands& out =
          begin_call(connection, scripts::dead_letter(), {key, target.keys().stream, keys_.claimed},
                     6 + field_arguments(letter));
      out.arg(keys_.group).arg(name_).arg(EntryIdText(slot.id).text()).arg(slot.deliveries);
      out.arg(target.max_length()).arg(slot.claimed ? claimed_member(slot) : std::string());
      append_fields(out, letter);
    });
    if (reply->is_error() && has_code(reply->text, "CROSSSLOT")) {
      copy_to_other_slot(connection, call, given, letter, target);
    } else if (reply->is_error()) {
      read_verdicts(call, {&given, 1}, *reply);
    } else {
      settled(call, given, status_of_verdict(*reply));
    }
  });
}

/// In a cluster no script reaches two slots: publish, confirm, then ack. A crash between leaves the
/// message twice, never lost.
void Consumer::copy_to_other_slot(Connection& connection, Call& call, const Given& given,
                                  const swapmq_message& letter, const RedisQueue& target) {
  const OwnedReply added = run_script(connection, call.deadline, [&] {
    const QueueKeys& to = target.keys();
    begin_call(connection, scripts::publish(),
               {to.stream, to.scheduled, to.later, to.expiry, to.own}, 6 + field_arguments(letter))
        .arg(to.group)
        .arg(0) // now
        .arg(0) // for ever
        .arg(0) // whether or not its id is known there
        .arg(target.max_length())
        .arg(0); // without trimming
    append_fields(connection.out(), letter);
  });
  if (added->is_error()) return read_verdicts(call, {&given, 1}, *added);
  if (added->text == "full") return settled(call, given, SWAPMQ_RESOURCE_EXHAUSTED);
  if (added->type != REDIS_REPLY_STRING || added->text != "stored") no_answer("to dead-letter");
  const OwnedReply acked = run_script(connection, call.deadline, [&] {
    const Slot& slot = slots_[given.slot];
    if (slot.claimed) {
      begin_settling_claims(connection, 1);
      append_claim(connection.out(), slot, SWAPMQ_SETTLE_ACK, 0);
      return;
    }
    begin_call(connection, scripts::ack_fenced(), {keys_.stream}, 4)
        .arg(keys_.group)
        .arg(name_)
        .arg(EntryIdText(slot.id).text())
        .arg(slot.deliveries);
  });
  read_verdicts(call, {&given, 1}, *acked);
}

} // namespace swapmq::redis
