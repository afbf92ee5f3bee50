// SPDX-License-Identifier: MIT
//
// Settling. An ack has no answer in AMQP. But it makes room, so a delivery beyond the prefetch is
// one; and a request behind it (channel.flow, which changes nothing) has one, and then the broker's
// channel has done all that came before.
#include <algorithm>
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

// For the deliveries that follow an ack: in all, and one after another.
constexpr milliseconds kNextWithin(30);
constexpr milliseconds kSilentFor(3);

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
    sort(call);
    try {
      settle(call);
    } catch (...) {
      could_not(call);
      throw;
    }
  }
  if (args.max_messages > 0) return receive(call);
  return {};
}

/// By what is to be done; what is not ours has its result then.
void Consumer::sort(Call& call) {
  const backend::Settlements& settlements = call.args.settlements;
  for (std::size_t i = 0; i < settlements.size(); ++i) {
    const std::optional<uint64_t> tag = tags_.find(settlements[i].delivery->receipt);
    if (!tag) {
      call.args.settlement_results[i] = SWAPMQ_LOST;
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
  if (call.frames.empty()) return;
  if (tags_.epoch() == epoch) {
    try {
      // What is released is for others, too, and to come before what was pushed behind it.
      call.released.empty() ? tell(call.frames, false, call.deadline)
                            : give_back_what_waits(call.frames, call.deadline);
    } catch (const ConnectionLost& failure) {
      lost(failure);
    }
  }
  const bool done = tags_.epoch() == epoch;
  if (!done) {
    context_.host.count("lost_settlements", call.acks.size() + call.released.size());
  }
  finish(call, call.acks, done ? SWAPMQ_OK : SWAPMQ_LOST);
  finish(call, call.released, done ? SWAPMQ_OK : SWAPMQ_LOST);
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

/// Returns how many of this consumer's deliveries the last of the frames is for.
std::size_t Consumer::append(const std::vector<TagSettlement>& frames) {
  const std::size_t last = append_settlements(link_.live()->out(), kConsumeChannel, tags_, frames);
  const auto ours = [&](const TagSettlement& frame) { return frame.tag >= push_from_; };
  told_ += static_cast<uint64_t>(std::count_if(frames.begin(), frames.end(), ours));
  const auto end = frames.end();
  return static_cast<std::size_t>(
      std::count_if(end - static_cast<std::ptrdiff_t>(last), end, ours));
}

/// A delivery beyond the prefetch is the broker's word that it has made room, so that it has done
/// what told it to. Under load that is what comes next, and a question less for the broker. False:
/// it does not come, or it is not worth the wait.
bool Consumer::await_next_deliveries(Connection& connection, uint64_t told_before,
                                     uint64_t told_last, Deadline deadline) {
  if (!pushing_ || told_last < pushed_ / 4) return false;
  const uint64_t epoch = tags_.epoch();
  const Deadline until = network::at_most(deadline, kNextWithin);
  while (tags_.epoch() == epoch && tags_.next() - push_from_ <= pushed_ + told_before) {
    if (!connection.wait(network::at_most(until, kSilentFor))) return false;
    take_frames(connection);
  }
  return true;
}

/// Tells the broker what becomes of these deliveries, and awaits that it has done so. `stop`: it is
/// to push no more, which goes in one with that, or what it just pushes would be back before them.
void Consumer::tell(std::vector<TagSettlement>& frames, bool stop, Deadline deadline) {
  std::sort(frames.begin(), frames.end(), [](auto& a, auto& b) { return a.tag < b.tag; });
  const uint64_t epoch = tags_.epoch();
  Connection& connection = *link_.live();
  if (stop) append_cancel(connection.out());
  const std::size_t last = append(frames);
  if (stop || !await_next_deliveries(connection, told_ - last, last, deadline)) {
    connection.out().method(kConsumeChannel, AMQP_CHANNEL_FLOW_METHOD, amqp_channel_flow_t{1});
    await_barrier(connection, barriers_ + (stop ? 2 : 1), deadline);
  }
  if (tags_.epoch() != epoch) return;
  for (const TagSettlement& told : frames) tags_.settled(told.tag);
  if (stop) pushing_ = false;
}

/// Beside `frames` all that was pushed and not handed out goes back, and no more is pushed.
void Consumer::give_back_what_waits(std::vector<TagSettlement>& frames, Deadline deadline) {
  const uint64_t epoch = tags_.epoch();
  take_what_waits(frames);
  tell(frames, pushing_, deadline);
  std::vector<TagSettlement> late; // pushed meanwhile
  if (tags_.epoch() == epoch) take_what_waits(late);
  if (!late.empty()) tell(late, false, deadline);
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
