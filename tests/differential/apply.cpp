// SPDX-License-Identifier: MIT
#include "apply.h"

#include <algorithm>

#include "mortal.h"
#include "queue_operations.h"
#include "random.h"
#include "settle.h"
#include "take.h"

namespace swapmq::differential {

namespace {

/// Queues beyond this are published to no more: they would only get longer.
constexpr std::uint64_t kLongQueue = 100;
constexpr std::uint64_t kMostPrefetch = 20;

void receive(World& world, const Operation& operation) {
  Slot& slot = world.slot(operation);
  Random random(operation.seed);
  const auto prefetch = static_cast<std::uint32_t>(1 + random.below(kMostPrefetch));
  const bool collects = operation.consumer == kCollector;
  world.subscribe(operation.queue, slot, collects ? kCollectorPrefetch : prefetch);
  Request request;
  request.queue = operation.queue;
  request.asked = std::max(operation.count, 1u);
  request.room = slot.room();
  request.alone = world.subscribed(operation.queue) == 1;
  Exchanged exchanged = take(world, *slot.model, *slot.other, request);
  for (Pair& pair : exchanged.pairs) slot.held.push_back(std::move(pair));
}

/// On the model the consumer that dies nacks all that it holds: they come back counted. Where the
/// other backend does not count what the dead give back, it releases.
void die(World& world, const Operation& operation) {
  const unsigned queue = operation.queue;
  world.settle_down(queue);
  Request request;
  request.queue = queue;
  request.alone = world.subscribed(queue) == 0;
  const auto model = world.model.consumer(queue, 1000, world.setting.dying_lease);
  request.asked = request.room =
      std::min<std::uint64_t>(std::max(operation.count, 1u), world.model.stats(queue).ready);
  std::vector<Delivered> given = take_from_model(world, *model, request);
  const auto other = mortal(world, queue, given.size());
  given = follow(world, *model, request, std::move(given), other->held());

  const Powers& powers = world.setting.powers;
  const bool counted = powers.counts_crashes || !powers.processes;
  std::vector<Settlement> returned;
  for (const Delivered& delivered : given) {
    returned.push_back(
        {delivered.delivery, counted ? SWAPMQ_SETTLE_NACK : SWAPMQ_SETTLE_RELEASE, 0, 0, {}});
    world.ledger.displaced(delivered.seen.message.id);
  }
  settle_on_model(*model, returned);
  other->die();
  world.coverage.reached(State::kConsumerDied, returned.size());
  collect(world, queue, world.model.stats(queue).delayed, {});
}

} // namespace

bool applicable(World& world, const Operation& operation) {
  Slot& slot = world.slot(operation);
  switch (operation.kind) {
    case Kind::kPublish:
    case Kind::kPublishRich:
    case Kind::kPublishDelayed:
    case Kind::kPublishNear:
      return world.size(operation.queue) < kLongQueue;
    case Kind::kAck:
    case Kind::kNack:
    case Kind::kNackDelayed:
    case Kind::kNackNear:
    case Kind::kRelease:
    case Kind::kReject:
      return !slot.held.empty();
    case Kind::kSettleAgain:
      return !slot.settled.empty();
    case Kind::kExchange:
    case Kind::kLeave:
      return slot.subscribed();
    case Kind::kDie:
      return world.model.stats(operation.queue).ready > 0;
    default:
      return true;
  }
}

void apply(World& world, const Operation& operation) {
  world.service();
  switch (operation.kind) {
    case Kind::kCreate:
      return create(world, operation.queue);
    case Kind::kPublish:
    case Kind::kPublishRich:
    case Kind::kPublishDelayed:
    case Kind::kPublishNear:
      return publish(world, operation);
    case Kind::kReceive:
      return receive(world, operation);
    case Kind::kExchange:
      return exchange(world, operation);
    case Kind::kSettleAgain:
      return settle_again(world, operation);
    case Kind::kPurge:
      return purge(world, operation.queue);
    case Kind::kDelete:
      return remove(world, operation.queue);
    case Kind::kStats:
      return compare_sizes(world, operation.queue);
    case Kind::kLeave:
      return world.leave(operation.queue, world.slot(operation), operation.seed % 2 == 0);
    case Kind::kDie:
      return die(world, operation);
    default:
      return settle(world, operation);
  }
}

void finish(World& world) {
  for (unsigned queue = 0; queue < kQueues; ++queue) {
    compare_sizes(world, queue);
    if (world.setting.powers.release) {
      for (Slot& slot : world.slots_of(queue)) {
        if (slot.subscribed()) world.leave(queue, slot, false);
      }
    }
    if (world.deleted[queue]) continue;
    collect(world, queue, world.model.stats(queue).delayed, {});
    compare_sizes(world, queue);
  }
}

} // namespace swapmq::differential
