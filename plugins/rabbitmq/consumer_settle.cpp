// SPDX-License-Identifier: MIT
//
// Settling. An ack has no answer in AMQP. But it makes room, so a delivery beyond the prefetch is
// one; and a request behind it (channel.flow, which changes nothing) has one, and then the broker's
// channel has done all that came before.
#include <algorithm>
#include <set>
#include <utility>

#include "broker_error.hpp"
#include "consumer.hpp"
#include "requests.hpp"
#include "session.hpp"

namespace swapmq::rabbitmq {
namespace {

using backend::DeadLetter;
using backend::Deadline;
using backend::Failure;
using network::ConnectionLost;

// For the deliveries that follow an ack: in all, and without any.
constexpr milliseconds kNextWithin(30);
constexpr milliseconds kSilentFor(3);
constexpr milliseconds kSilentShortly(1); // where some are here, and more would be better

/// What a copy came to, as the result of a settlement that needs it.
swapmq_status status_of(const swapmq_publish_result& result) {
  if (result.outcome == SWAPMQ_PUBLISH_CONFIRMED) return SWAPMQ_OK;
  return result.status == SWAPMQ_OK ? SWAPMQ_UNAVAILABLE : result.status;
}

} // namespace

Consumer::Call::Call(const backend::ExchangeArgs& its_args, milliseconds grace)
    : args(its_args),
      deadline(network::deadline_at(network::at_least(args.deadline, {}).at() + grace)) {}

backend::Received Consumer::exchange(const backend::ExchangeArgs& args) {
  Call call(args, context_.dialer.options().settle_grace);
  if (!args.settlements.empty()) {
    take_in(); // whatever is lost is to be known before
    claimer_.take_in();
    sort(call);
    try {
      settle(call);
      settle_claims(call);
    } catch (...) {
      could_not(call);
      throw;
    }
  }
  const uint64_t epoch = tags_.epoch();
  backend::Received received;
  if (args.max_messages > 0) received = receive(call);
  if (call.pends) end_pending(call, epoch, received.batch != nullptr);
  return received;
}

/// By what is to be done; what is not ours has its result then.
void Consumer::sort(Call& call) {
  const backend::Settlements& settlements = call.args.settlements;
  for (std::size_t i = 0; i < settlements.size(); ++i) {
    if (const auto claimed = claimer_.find(settlements[i].delivery->receipt)) {
      call.claims.push_back({i, *claimed});
      continue;
    }
    const std::optional<uint64_t> tag = tags_.find(settlements[i].delivery->receipt);
    if (!tag) {
      call.args.settlement_results[i] = SWAPMQ_LOST;
      continue;
    }
    if (tags_.is_told(*tag)) {
      call.told.push_back({i, *tag});
      continue;
    }
    tags_.settling(*tag);
    const int32_t action = settlements[i].action;
    auto& of_kind = action == SWAPMQ_SETTLE_ACK       ? call.acks
                    : action == SWAPMQ_SETTLE_RELEASE ? call.released
                                                      : call.copied;
    of_kind.push_back({i, *tag});
  }
}

void Consumer::settle(Call& call) {
  const uint64_t epoch = tags_.epoch();
  if (!call.copied.empty()) copy(call);
  for (const Given& given : call.acks) call.frames.push_back({given.tag, Settle::ack});
  for (const Given& given : call.released) call.frames.push_back({given.tag, Settle::requeue});
  if (call.frames.empty() && call.told.empty()) return;
  if (tags_.epoch() == epoch) {
    try {
      // What is released is for others, too, and to come before what was pushed behind it.
      if (!call.released.empty()) {
        give_back_what_waits(call.frames, call.deadline);
      } else if (call.args.may_pend && call.args.max_messages > 0) {
        call.pends = tell_ahead(call.frames, call.deadline);
      } else {
        tell(call.frames, call.deadline);
      }
    } catch (const ConnectionLost& failure) {
      lost(failure);
    }
  }
  const bool done = tags_.epoch() == epoch;
  if (done) {
    for (const Given& given : call.told) tags_.settled(given.tag);
  } else {
    call.pends = false;
    context_.host.count("lost_settlements",
                        call.acks.size() + call.released.size() + call.told.size());
  }
  finish(call, call.told, done ? SWAPMQ_OK : SWAPMQ_LOST);
  finish(call, call.released, done ? SWAPMQ_OK : SWAPMQ_LOST);
  if (!call.pends) finish(call, call.acks, done ? SWAPMQ_OK : SWAPMQ_LOST);
}

void Consumer::settle_claims(Call& call) {
  if (call.claims.empty()) return;
  std::vector<Claimer::Given> given;
  std::set<uint64_t> tags;
  for (const Given& one : call.claims) {
    if (!tags.insert(one.tag).second) { // given twice
      call.args.settlement_results[one.settlement] = SWAPMQ_LOST;
      continue;
    }
    given.push_back({&call.args.settlements[one.settlement], one.tag,
                     &call.args.settlement_results[one.settlement]});
  }
  claimer_.settle(given, call.deadline);
}

/// The acks of which is to be heard later: that is, with the next call if this one has deliveries
/// to hand out.
void Consumer::end_pending(Call& call, uint64_t epoch, bool handed_out) {
  if (handed_out) return finish(call, call.acks, SWAPMQ_STATUS_PENDING);
  // The connection may have been found dead meanwhile, and there may be no other yet.
  if (tags_.epoch() == epoch && !is_attached()) lose_all();
  if (tags_.epoch() == epoch) {
    std::vector<TagSettlement> none;
    try {
      tell(none, call.deadline);
    } catch (const ConnectionLost& failure) {
      lost(failure);
    }
  }
  const bool done = tags_.epoch() == epoch;
  if (done) {
    for (const Given& given : call.acks) tags_.settled(given.tag);
  }
  finish(call, call.acks, done ? SWAPMQ_OK : SWAPMQ_LOST);
}

/// Nacks and dead letters: those that are confirmed are acked then.
void Consumer::copy(Call& call) {
  const backend::Settlements& settlements = call.args.settlements;
  std::vector<DeadLetter> dead;
  dead.reserve(call.copied.size());
  std::vector<Letter> letters;
  for (const Given& given : call.copied) {
    const swapmq_settlement& settlement = settlements[given.settlement];
    if (settlement.action == SWAPMQ_SETTLE_DEAD_LETTER) {
      auto& target =
          static_cast<RabbitQueue&>(*reinterpret_cast<backend::Queue*>(settlement.target));
      dead.emplace_back(settlement);
      letters.push_back({&dead.back().message(), &target.routes()});
    } else {
      const swapmq_delivery& delivery = *settlement.delivery;
      // One more than it had when it was delivered.
      const uint32_t nacks = delivery.delivery_count - delivery.message->delivery_count;
      const Returned returned{nacks, settlement.due_at_ms};
      // Where the queue was deleted, this must not make it again.
      letters.push_back({delivery.message, &queue_.routes(), returned, false});
    }
  }
  std::vector<swapmq_publish_result> results(letters.size());
  const uint64_t epoch = tags_.epoch();
  try {
    publish_letters(context_.control, context_.dialer, letters,
                    {results.data(), results.size(), sizeof results[0]}, call.deadline);
  } catch (const Failure& why) {
    context_.host.log(SWAPMQ_LOG_WARN, why.what());
  }
  take_in(); // a queue that is gone took its deliveries with it
  const bool ours = tags_.epoch() == epoch;
  for (std::size_t i = 0; i < letters.size(); ++i) {
    const Given& given = call.copied[i];
    const swapmq_status status = status_of(results[i]);
    const bool gone = status == SWAPMQ_NOT_FOUND && !letters[i].makes_queue;
    if (status == SWAPMQ_OK && ours) {
      call.acks.push_back(given);
    } else {
      settled(call, given, !ours || gone ? SWAPMQ_LOST : status);
    }
  }
  call.copied.clear();
}

Consumer::Told Consumer::append(std::vector<TagSettlement>& frames) {
  std::sort(frames.begin(), frames.end(), [](auto& a, auto& b) { return a.tag < b.tag; });
  const std::size_t last = append_settlements(link_.live()->out(), kConsumeChannel, tags_, frames);
  const auto ours = [&](const TagSettlement& frame) { return frame.tag >= push_from_; };
  const auto count = [&](std::size_t of_the_end) {
    const auto from = frames.end() - static_cast<std::ptrdiff_t>(of_the_end);
    return static_cast<uint64_t>(std::count_if(from, frames.end(), ours));
  };
  told_ += count(frames.size());
  return {told_ - count(last), count(last), !frames.empty()};
}

/// A delivery beyond the prefetch is the broker's word that it has made room, so that it has done
/// what told it to.
bool Consumer::is_heard(const Told& told) const {
  if (!told.anything) return true;
  return pushing_ && told.count > 0 && tags_.next() - push_from_ > pushed_ + told.before;
}

/// Awaits that. Under load it is what comes next, and a question less for the broker. False: it
/// does not come, or it is not worth the wait.
bool Consumer::hears(Connection& connection, const Told& told, Deadline deadline) {
  const uint64_t epoch = tags_.epoch();
  const Deadline until = network::at_most(deadline, kNextWithin);
  // So that the broker has enough to push when that has come.
  const bool is_worth_it = pushing_ && told.count > 0 && told_ - told.before >= pushed_ / 4;
  while (tags_.epoch() == epoch && !is_heard(told)) {
    if (!is_worth_it || !connection.wait(network::at_most(until, kSilentFor))) return false;
    take_frames(connection);
  }
  return true;
}

/// Asks something that is answered after all that came before, and awaits that.
void Consumer::ask(Connection& connection, Deadline deadline) {
  connection.out().method(kConsumeChannel, AMQP_CHANNEL_FLOW_METHOD, amqp_channel_flow_t{1});
  await_barrier(connection, barriers_ + 1, deadline);
  unheard_ = {};
}

/// Tells the broker what becomes of these deliveries, and awaits that it has done so, and what it
/// was told before.
void Consumer::tell(std::vector<TagSettlement>& frames, Deadline deadline) {
  const uint64_t epoch = tags_.epoch();
  Connection& connection = *link_.live();
  const Told told = append(frames);
  if (!hears(connection, told.anything ? told : unheard_, deadline)) ask(connection, deadline);
  if (tags_.epoch() != epoch) return;
  for (const TagSettlement& frame : frames) tags_.settled(frame.tag);
  unheard_ = {};
}

/// Tells it, and awaits its word on what it was told before, but on these only if nothing waits to
/// be handed out. Whether that is still to be heard.
bool Consumer::tell_ahead(std::vector<TagSettlement>& frames, Deadline deadline) {
  const uint64_t epoch = tags_.epoch();
  Connection& connection = *link_.live();
  const Told told = append(frames);
  connection.push(); // the sooner, the sooner there is room for more
  const bool heard = hears(connection, unheard_, deadline);
  // A few deliveries would be acked by a few: if there are more, they are awaited.
  const Deadline until = network::at_most(deadline, kNextWithin);
  while (heard && tags_.epoch() == epoch && waiting_.size() < pushed_ / 8 &&
         connection.wait(network::at_most(until, kSilentShortly))) {
    take_frames(connection);
  }
  if (tags_.epoch() != epoch) return false;
  const bool goes_on = heard && told.anything && !waiting_.empty() && !is_heard(told);
  if (!goes_on) {
    if (!heard || !hears(connection, told, deadline)) ask(connection, deadline);
    if (tags_.epoch() != epoch) return false;
  }
  unheard_ = goes_on ? told : Told{};
  for (const TagSettlement& frame : frames) {
    goes_on ? tags_.told(frame.tag) : tags_.settled(frame.tag);
  }
  return goes_on;
}

/// Beside `frames` all that was pushed and not handed out goes back, and no more is pushed.
void Consumer::give_back_what_waits(std::vector<TagSettlement>& frames, Deadline deadline) {
  const uint64_t epoch = tags_.epoch();
  if (pushing_) stop_pushing(*link_.live(), deadline);
  if (tags_.epoch() != epoch) return;
  take_what_waits(frames);
  tell(frames, deadline);
}

void Consumer::finish(const Call& call, const std::vector<Given>& given, swapmq_status status) {
  for (const Given& one : given) call.args.settlement_results[one.settlement] = status;
}

/// One that is not told to the broker.
void Consumer::settled(const Call& call, const Given& given, swapmq_status status) {
  call.args.settlement_results[given.settlement] = status;
  if (status != SWAPMQ_LOST) tags_.still_held(given.tag);
}

/// What has no result may be given again.
void Consumer::could_not(const Call& call) noexcept {
  for (const auto* given : {&call.acks, &call.released, &call.copied}) {
    for (const Given& one : *given) {
      if (call.args.settlement_results[one.settlement] == SWAPMQ_STATUS_UNTOUCHED) {
        tags_.still_held(one.tag);
      }
    }
  }
}

} // namespace swapmq::rabbitmq
