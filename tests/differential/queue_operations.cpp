// SPDX-License-Identifier: MIT
#include "queue_operations.h"

#include "content.h"
#include "take.h"

namespace swapmq::differential {

namespace {

/// Long enough that a message is stored before it is due, mostly; nothing depends on it.
constexpr std::int64_t kNearMs = 8;

void note_published(World& world, unsigned queue, const contract::Message& message,
                    const swapmq_publish_result& result) {
  if (result.status == SWAPMQ_RESOURCE_EXHAUSTED) world.coverage.reached(State::kFull);
  if (result.outcome != SWAPMQ_PUBLISH_CONFIRMED || expired_when_sent(message)) return;
  world.ledger.published(queue, message);
  if (message.due_at_ms != 0) world.coverage.reached(State::kDelayed);
}

} // namespace

void create(World& world, unsigned queue) {
  world.model.create(queue);
  world.other.create(queue);
  world.deleted[queue] = world.may_exist[queue] = false;
}

void publish(World& world, const Operation& operation) {
  const unsigned queue = operation.queue;
  const std::int64_t now = contract::unix_now_ms();
  const auto messages =
      make_messages(operation, world.setting.powers, world.next_message,
                    now + world.setting.powers.max_delay_ms, now + kNearMs, world.bounded(queue));
  world.next_message += messages.size();
  const std::uint64_t far = world.model.stats(queue).delayed;
  const auto model = world.model.publish(queue, messages);
  const auto other = world.other.publish(queue, messages);
  same_results(messages, model, other);
  world.deleted[queue] = world.may_exist[queue] = false;
  std::vector<Due> due;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    note_published(world, queue, messages[i], model[i]);
    due.push_back({messages[i].id, messages[i].due_at_ms});
  }
  if (operation.kind == Kind::kPublishNear) collect(world, queue, far, due);
}

void purge(World& world, unsigned queue) {
  world.settle_down(queue);
  const std::uint64_t model = world.model.purge(queue);
  same_purge(model, world.other.purge(queue));
  world.ledger.emptied(queue);
  world.coverage.reached(State::kPurged, model);
}

void remove(World& world, unsigned queue) {
  world.settle_down(queue);
  world.model.remove(queue);
  world.other.remove(queue);
  world.ledger.emptied(queue);
  world.deleted[queue] = true;
  world.may_exist[queue] = false;
  for (Slot& slot : world.slots_of(queue)) {
    for (Pair& pair : slot.held) pair.deleted = true;
  }
}

void compare_sizes(World& world, unsigned queue) {
  const bool read_ahead = world.setting.reads_ahead && world.subscribed(queue) > 0;
  same_sizes(world.model.stats(queue), world.other.stats(queue),
             {.may_exist = world.may_exist[queue], .read_ahead = read_ahead});
}

} // namespace swapmq::differential
