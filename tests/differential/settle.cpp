// SPDX-License-Identifier: MIT
#include "settle.h"

#include <algorithm>

#include "content.h"
#include "random.h"
#include "take.h"

namespace swapmq::differential {

using contract::Breach;

namespace {

/// So many settled deliveries of a consumer are kept, to be settled again.
constexpr std::size_t kKeptSettled = 4;
constexpr std::int64_t kNearMs = 8;

/// The settlements of one exchange, for both sides.
struct Plan {
  std::vector<std::size_t> picks; ///< of what the slot holds, in rising order
  std::vector<Kind> kinds;
  std::vector<Settlement> model, other;
};

/// Neighbours of those held, from a place of the seed's choice.
std::vector<std::size_t> pick(const Slot& slot, const Operation& operation) {
  const std::size_t held = slot.held.size();
  const std::size_t count = std::min<std::size_t>(std::max(operation.count, 1u), held);
  const std::size_t first = held == 0 ? 0 : operation.seed % held;
  std::vector<std::size_t> picks;
  for (std::size_t i = 0; i < count; ++i) picks.push_back((first + i) % held);
  std::sort(picks.begin(), picks.end());
  return picks;
}

Settlement settlement_of(Kind kind, const World& world, Random& random) {
  const std::int64_t now = contract::unix_now_ms();
  Settlement made;
  switch (kind) {
    case Kind::kNack:
      made.action = SWAPMQ_SETTLE_NACK;
      break;
    case Kind::kNackDelayed:
      made.action = SWAPMQ_SETTLE_NACK;
      made.due_at_ms = now + world.setting.powers.max_delay_ms;
      break;
    case Kind::kNackNear:
      made.action = SWAPMQ_SETTLE_NACK;
      made.due_at_ms = now + kNearMs + static_cast<std::int64_t>(random.below(8));
      break;
    case Kind::kRelease:
      made.action = SWAPMQ_SETTLE_RELEASE;
      break;
    case Kind::kReject: // into queues without a bound: whether a full one takes it is open
      made.action = SWAPMQ_SETTLE_DEAD_LETTER;
      made.target = static_cast<unsigned>(random.below(kQueues - 1));
      made.headers = reject_headers(random.next());
      break;
    default:
      break;
  }
  return made;
}

Kind any_settlement(const Powers& powers, Random& random) {
  constexpr std::array<Kind, 6> kAny = {Kind::kAck,         Kind::kAck,     Kind::kNack,
                                        Kind::kNackDelayed, Kind::kRelease, Kind::kReject};
  for (;;) {
    const Kind kind = kAny[random.below(kAny.size())];
    if (possible(kind, powers)) return kind;
  }
}

Plan plan(World& world, const Slot& slot, const Operation& operation) {
  Random random(operation.seed);
  Plan made;
  made.picks = pick(slot, operation);
  for (const std::size_t at : made.picks) {
    const Kind kind = operation.kind == Kind::kExchange
                          ? any_settlement(world.setting.powers, random)
                          : operation.kind;
    Settlement settlement = settlement_of(kind, world, random);
    settlement.delivery = slot.held[at].model.delivery;
    made.model.push_back(settlement);
    settlement.delivery = slot.held[at].other.delivery;
    made.other.push_back(std::move(settlement));
    made.kinds.push_back(kind);
  }
  return made;
}

void note(World& world, const std::string& id, Kind kind, const Settlement& settlement) {
  switch (kind) {
    case Kind::kAck:
      return world.ledger.gone(id);
    case Kind::kRelease:
      return world.released(id);
    case Kind::kReject:
      world.ledger.moved(id, settlement.target);
      world.deleted[settlement.target] = world.may_exist[settlement.target] = false;
      return world.coverage.reached(State::kDeadLettered);
    case Kind::kNackDelayed:
    case Kind::kNackNear:
      world.coverage.reached(State::kDelayed);
      return world.ledger.displaced(id);
    default:
      return world.ledger.displaced(id);
  }
}

/// Settles on the model, and writes down what became of the messages.
std::vector<swapmq_status> settle_on_model(World& world, Slot& slot, const Plan& plan) {
  std::vector<swapmq_status> statuses = settle_on_model(*slot.model, plan.model);
  for (std::size_t i = 0; i < plan.picks.size(); ++i) {
    if (statuses[i] == SWAPMQ_LOST) world.coverage.reached(State::kLost);
    if (statuses[i] != SWAPMQ_OK) continue;
    note(world, slot.held[plan.picks[i]].id(), plan.kinds[i], plan.model[i]);
  }
  return statuses;
}

/// Compares the two, and lets go of what is settled or lost.
void let_go(Slot& slot, const Plan& plan, const std::vector<swapmq_status>& model,
            const std::vector<swapmq_status>& other) {
  std::vector<std::int32_t> actions;
  for (const Settlement& settlement : plan.model) actions.push_back(settlement.action);
  same_settlements(actions, model, other);
  for (std::size_t i = plan.picks.size(); i-- > 0;) {
    if (model[i] != SWAPMQ_OK && model[i] != SWAPMQ_LOST) continue;
    const auto at = slot.held.begin() + static_cast<std::ptrdiff_t>(plan.picks[i]);
    slot.settled.push_back(std::move(*at));
    slot.held.erase(at);
    if (slot.settled.size() > kKeptSettled) slot.settled.pop_front();
  }
}

} // namespace

void settle(World& world, const Operation& operation) {
  Slot& slot = world.slot(operation);
  const Plan made = plan(world, slot, operation);
  std::vector<Due> due;
  for (std::size_t i = 0; i < made.picks.size(); ++i) {
    due.push_back({slot.held[made.picks[i]].id(), made.model[i].due_at_ms});
  }
  const std::uint64_t far = world.model.stats(operation.queue).delayed;
  const std::vector<swapmq_status> statuses = settle_on_model(world, slot, made);
  Request request;
  request.settlements = made.other;
  let_go(slot, made, statuses, take(world, *slot.model, *slot.other, request).settled);
  if (operation.kind == Kind::kNackNear) collect(world, operation.queue, far, due);
}

void exchange(World& world, const Operation& operation) {
  Slot& slot = world.slot(operation);
  const Plan made = plan(world, slot, operation);
  const auto freed = std::count_if(made.picks.begin(), made.picks.end(),
                                   [&](std::size_t at) { return !slot.held[at].deleted; });
  const std::vector<swapmq_status> statuses = settle_on_model(world, slot, made);
  Request request;
  request.queue = operation.queue;
  request.room = slot.room() + static_cast<std::uint64_t>(freed);
  request.asked = std::min<std::uint64_t>(1 + operation.seed % 12, request.room);
  request.alone = world.subscribed(operation.queue) == 1;
  request.settlements = made.other;
  request.may_pend = operation.seed % 3 != 0;
  Exchanged exchanged = take(world, *slot.model, *slot.other, request);
  let_go(slot, made, statuses, exchanged.settled);
  for (Pair& pair : exchanged.pairs) slot.held.push_back(std::move(pair));
}

void settle_again(World& world, const Operation& operation) {
  Slot& slot = world.slot(operation);
  const Pair& pair = slot.settled[operation.seed % slot.settled.size()];
  Random random(operation.seed);
  Settlement settlement =
      settlement_of(any_settlement(world.setting.powers, random), world, random);
  settlement.delivery = pair.model.delivery;
  const std::vector<swapmq_status> model = settle_on_model(*slot.model, {&settlement, 1});
  settlement.delivery = pair.other.delivery;
  Request request;
  request.settlements = {&settlement, 1};
  const Exchanged exchanged = take(world, *slot.model, *slot.other, request);
  same_settlements(std::array{settlement.action}, model, exchanged.settled);
  world.coverage.reached(State::kLost);
  const std::string changed =
      contract::difference(pair.other.seen.message, contract::copy(*pair.other.delivery->message));
  if (!changed.empty()) {
    throw Breach("a settled delivery changed while its batch lives: " + changed);
  }
}

} // namespace swapmq::differential
