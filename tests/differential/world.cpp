// SPDX-License-Identifier: MIT
#include "world.h"

#include <algorithm>
#include <cctype>
#include <string_view>

#include "queue_name.h"

namespace swapmq::differential {

namespace {

/// A host calls service() at least once a second.
constexpr milliseconds kServiceEvery{400};
/// Small enough to be full now and then.
constexpr std::uint64_t kMaxLength = 24;
constexpr std::uint32_t kUnlimited = 1'000'000;

/// The name with its letters in the other case, which is another queue; empty if it cannot be.
std::string other_case(const std::string& name, const char* alphabet) {
  std::string turned = name;
  for (char& c : turned) {
    const auto byte = static_cast<unsigned char>(c);
    c = static_cast<char>(std::islower(byte) != 0 ? std::toupper(byte) : std::tolower(byte));
  }
  const bool allowed =
      alphabet == nullptr || turned.find_first_not_of(alphabet) == std::string::npos;
  return allowed && turned != name ? turned : std::string();
}

QueueSpecs fresh_queues(Setting& setting) {
  const contract::Using names_for(setting.other);
  const std::string first = contract::fresh_queue_name("a");
  const std::string twin = other_case(first, setting.other.limits.queue_name_alphabet);
  return {{first, 0},
          {twin.empty() ? contract::fresh_queue_name("b") : twin, 0},
          {contract::fresh_queue_name("c"), setting.powers.max_length ? kMaxLength : 0}};
}

} // namespace

std::uint64_t Slot::room() const {
  const auto holding = static_cast<std::uint64_t>(
      std::count_if(held.begin(), held.end(), [](const Pair& pair) { return !pair.deleted; }));
  return prefetch - std::min<std::uint64_t>(prefetch, holding);
}

World::World(Setting& given, Coverage& reached, milliseconds with_patience)
    : setting(given),
      coverage(reached),
      patience(with_patience),
      model(given.model, fresh_queues(given)),
      other(given.other, model.queues()) {
  coverage.start();
}

void World::subscribe(unsigned queue, Slot& slot, std::uint32_t prefetch) {
  if (slot.subscribed()) return;
  settle_down(queue);
  slot.prefetch = prefetch;
  slot.model = model.consumer(queue, kUnlimited, setting.living_lease);
  slot.other = other.consumer(queue, prefetch, setting.living_lease);
  deleted[queue] = may_exist[queue] = false;
}

void World::leave(unsigned queue, Slot& slot, bool with_its_session) {
  if (with_its_session) {
    slot.model->close_session();
    slot.other->close_session();
  }
  slot.model.reset();
  slot.other.reset();
  for (const Pair& pair : slot.held) {
    if (!pair.deleted) released(pair.id());
  }
  slot.held.clear();
  slot.settled.clear();
  // What it read ahead, and was not asked for, goes back with what it held.
  if (setting.reads_ahead && setting.returns_late) ledger.lost_their_places(queue);
  // Whether unsubscribing looks into a deleted queue is nobody's business.
  if (deleted[queue]) may_exist[queue] = true;
}

/// Back at its place, unless newer ones may go first: those that were read ahead meanwhile, or
/// before another consumer notices.
void World::released(const std::string& id) {
  if (setting.reads_ahead && setting.returns_late) ledger.lost_their_places(ledger.queue_of(id));
  return setting.reads_ahead || setting.returns_late ? ledger.displaced(id) : ledger.released(id);
}

void World::settle_down(unsigned queue) {
  if (!setting.reads_ahead) return;
  for (Slot& slot : slots_[queue]) {
    if (slot.subscribed()) leave(queue, slot, false);
  }
}

unsigned World::subscribed(unsigned queue) const {
  const auto& slots = slots_[queue];
  return static_cast<unsigned>(std::count_if(slots.begin(), slots.end(),
                                             [](const Slot& slot) { return slot.subscribed(); }));
}

std::uint64_t World::size(unsigned queue) {
  const swapmq_queue_stats stats = model.stats(queue);
  return stats.ready + stats.unacked + stats.delayed;
}

void World::service() {
  const auto now = contract::Clock::now();
  if (now - serviced_ < kServiceEvery) return;
  serviced_ = now;
  model.service();
  other.service();
  for (auto& slots : slots_) {
    for (Slot& slot : slots) {
      if (!slot.subscribed()) continue;
      slot.model->service();
      slot.other->service();
    }
  }
}

} // namespace swapmq::differential
