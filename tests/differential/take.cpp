// SPDX-License-Identifier: MIT
#include "take.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <utility>

namespace swapmq::differential {

using contract::Breach;
using contract::Clock;
using contract::shown;

namespace {

/// A wait of the other backend that is looked after now and then.
constexpr milliseconds kWait{250};
constexpr milliseconds kNoWait{0};
constexpr std::uint64_t kAll = 100'000;

void append(std::vector<Delivered>& to, Taken taken) {
  std::move(taken.deliveries.begin(), taken.deliveries.end(), std::back_inserter(to));
}

void must_be_ok(const Taken& taken, const char* whose) {
  if (taken.status == SWAPMQ_OK) return;
  throw Breach(std::string("exchange() ") + whose + " returned " +
               contract::status_name(taken.status) + ": " + taken.error);
}

/// "m1, m2, m3 and 5 more"
std::string some_of(const std::set<std::string>& ids) {
  std::string text;
  std::size_t said = 0;
  for (const std::string& id : ids) {
    if (said == 4) return text + " and " + std::to_string(ids.size() - said) + " more";
    text += (said++ == 0 ? "" : ", ") + shown(id);
  }
  return text;
}

template <class Range>
std::set<std::string> ids_of(const Range& deliveries) {
  std::set<std::string> ids;
  for (const Delivered& delivered : deliveries) ids.insert(delivered.seen.message.id);
  return ids;
}

std::set<std::string> without(std::set<std::string> ids, const std::set<std::string>& those) {
  for (const std::string& id : those) ids.erase(id);
  return ids;
}

/// The other backend's part of a request.
class OtherTakes {
 public:
  OtherTakes(World& world, Consumer& consumer, const Request& request,
             const std::vector<Delivered>& expected)
      : world_(world),
        consumer_(consumer),
        request_(request),
        expected_(expected),
        settled_(request.settlements.size(), SWAPMQ_STATUS_PENDING),
        pending_(request.settlements.size()) {
    std::iota(pending_.begin(), pending_.end(), std::size_t{0});
  }

  Exchanged run(std::vector<Delivered>& got) {
    std::uint64_t most = request_.asked;
    for (bool first = true; first || got.size() < most; first = false) {
      const bool enough = got.size() >= expected_.size();
      const milliseconds wait = enough ? kNoWait : std::min(kWait, world_.patience);
      Taken taken = settle_and_take(most - got.size(), wait);
      if (taken.status == SWAPMQ_INVALID_ARGUMENT && most > request_.room) {
        most = request_.room; // to refuse what is beyond the prefetch is as good
        continue;
      }
      must_be_ok(taken, "");
      const bool nothing = taken.deliveries.empty();
      append(got, std::move(taken));
      check_count(got);
      if (nothing && enough) break;
      if (!nothing) last_ = Clock::now();
      if (nothing && Clock::now() - last_ > world_.patience) missing(got);
      world_.service();
    }
    if (!pending_.empty()) must_be_ok(settle_and_take(0, kNoWait), "");
    return {std::move(settled_), {}};
  }

 private:
  /// One exchange, with all settlements that have no answer yet.
  Taken settle_and_take(std::uint64_t most, milliseconds wait) {
    std::vector<Settlement> given;
    for (const std::size_t at : pending_) given.push_back(request_.settlements[at]);
    Taken taken = consumer_.exchange(given, most, wait, request_.may_pend && most > 0);
    if (taken.status != SWAPMQ_OK) return taken;
    const std::vector<std::size_t> asked = std::exchange(pending_, {});
    for (std::size_t i = 0; i < asked.size(); ++i) {
      settled_[asked[i]] = taken.settled[i];
      if (taken.settled[i] == SWAPMQ_STATUS_PENDING) pending_.push_back(asked[i]);
    }
    return taken;
  }

  void check_count(const std::vector<Delivered>& got) const {
    if (got.size() <= expected_.size()) return;
    if (got.size() > request_.room) {
      throw Breach("receive: " + std::to_string(got.size()) + " messages where the prefetch left " +
                   "room for " + std::to_string(request_.room));
    }
    throw Breach("receive: " + std::to_string(got.size()) + " messages, where only " +
                 std::to_string(expected_.size()) + " are ready on the model; beyond those " +
                 some_of(without(ids_of(got), ids_of(expected_))));
  }

  [[noreturn]] void missing(const std::vector<Delivered>& got) const {
    throw Breach("receive: " + std::to_string(got.size()) + " of " +
                 std::to_string(expected_.size()) + " messages came, and then nothing for " +
                 std::to_string(world_.patience.count()) + " ms; the model also gave " +
                 some_of(without(ids_of(expected_), ids_of(got))));
  }

  World& world_;
  Consumer& consumer_;
  const Request& request_;
  const std::vector<Delivered>& expected_;
  std::vector<swapmq_status> settled_;
  std::vector<std::size_t> pending_; ///< of the settlements: without an answer yet
  Clock::time_point last_ = Clock::now();
};

/// Takes on the model whatever else is ready, keeps what the other backend chose, and puts the rest
/// back.
void choose_again(World& world, Consumer& model, std::vector<Delivered>& given,
                  const std::set<std::string>& chosen) {
  world.coverage.reached(State::kReordered);
  for (;;) {
    Taken more = model.exchange({}, kAll, kNoWait);
    must_be_ok(more, "on the model");
    if (more.deliveries.empty()) break;
    append(given, std::move(more));
  }
  if (const auto strange = without(chosen, ids_of(given)); !strange.empty()) {
    throw Breach("receive: " + some_of(strange) + " came, which is not ready on the model");
  }
  const auto kept = std::partition(given.begin(), given.end(), [&](const Delivered& delivered) {
    return chosen.count(delivered.seen.message.id) != 0;
  });
  std::vector<Settlement> back;
  for (auto rest = kept; rest != given.end(); ++rest) {
    back.push_back({rest->delivery, SWAPMQ_SETTLE_RELEASE, 0, 0, {}});
    if (!rest->seen.redelivered) world.ledger.excuse(rest->seen.message.id);
  }
  settle_on_model(model, back);
  given.erase(kept, given.end());
}

std::vector<Seen> seen_of(const std::vector<Delivered>& deliveries) {
  std::vector<Seen> seen;
  seen.reserve(deliveries.size());
  for (const Delivered& delivered : deliveries) seen.push_back(delivered.seen);
  return seen;
}

void check_place(const World& world, unsigned queue, const std::string& id) {
  if (!world.ledger.in_place(id)) return;
  const std::string next = world.ledger.next_in_place(queue);
  if (next == id) return;
  throw Breach("order: message " + shown(id) + " came before " + shown(next) +
               ", which was published earlier or has a higher priority");
}

} // namespace

std::vector<swapmq_status> settle_on_model(Consumer& model,
                                           std::span<const Settlement> settlements) {
  if (settlements.empty()) return {};
  Taken taken = model.exchange(settlements, 0, kNoWait);
  must_be_ok(taken, "on the model");
  return std::move(taken.settled);
}

std::vector<Delivered> take_from_model(World& world, Consumer& model, const Request& request) {
  const std::uint64_t most = std::min(request.asked, request.room);
  std::vector<Delivered> got;
  while (got.size() < most) {
    const bool enough = got.size() >= request.awaited;
    Taken taken = model.exchange({}, most - got.size(), enough ? kNoWait : world.setting.patience);
    must_be_ok(taken, "on the model");
    if (taken.deliveries.empty() && enough) break;
    if (taken.deliveries.empty()) throw Breach("the model itself does not give what must come");
    append(got, std::move(taken));
  }
  return got;
}

std::vector<Delivered> follow(World& world, Consumer& model, const Request& request,
                              std::vector<Delivered> given, std::span<const Seen> other) {
  std::set<std::string> chosen;
  for (const Seen& seen : other) {
    if (chosen.insert(seen.message.id).second) continue;
    throw Breach("receive: message " + shown(seen.message.id) + " came twice");
  }
  // Before the model follows: it gives the highest priorities that there are.
  const bool all_at_once = request.awaited == 0;
  if (world.setting.powers.priority && all_at_once) same_priorities(seen_of(given), other);
  if (ids_of(given) != chosen) choose_again(world, model, given, chosen);
  std::map<std::string, Delivered*> by_id;
  for (Delivered& delivered : given) by_id[delivered.seen.message.id] = &delivered;
  std::vector<Delivered> ordered;
  for (const Seen& seen : other) {
    const std::string& id = seen.message.id;
    Delivered& expected = *by_id.at(id);
    same_delivery({expected.seen, world.ledger.excused(id), world.ledger.dead_letter(id),
                   world.setting.reads_ahead},
                  seen);
    if (world.setting.powers.ordering && request.alone) check_place(world, request.queue, id);
    world.ledger.delivered(id);
    world.coverage.reached(State::kUnacked);
    if (seen.redelivered) world.coverage.reached(State::kRedelivered);
    ordered.push_back(std::move(expected));
  }
  return ordered;
}

Exchanged take(World& world, Consumer& model, Consumer& other, const Request& request) {
  if (world.deleted[request.queue] && request.asked > 0) world.may_exist[request.queue] = true;
  std::vector<Delivered> given = take_from_model(world, model, request);
  std::vector<Delivered> got;
  Exchanged exchanged = OtherTakes(world, other, request, given).run(got);
  std::vector<Delivered> ordered = follow(world, model, request, std::move(given), seen_of(got));
  for (std::size_t i = 0; i < got.size(); ++i) {
    exchanged.pairs.push_back({std::move(ordered[i]), std::move(got[i]), false});
  }
  return exchanged;
}

void collect(World& world, unsigned queue, std::uint64_t far, std::span<const Due> due) {
  Slot& slot = world.collector(queue);
  world.subscribe(queue, slot, kCollectorPrefetch);
  Request request;
  request.queue = queue;
  const swapmq_queue_stats stats = world.model.stats(queue);
  request.asked = request.awaited = stats.ready + stats.delayed - far;
  request.room = slot.room();
  request.alone = world.subscribed(queue) == 1;
  Exchanged exchanged = take(world, *slot.model, *slot.other, request);
  for (Pair& pair : exchanged.pairs) {
    for (const Due& one : due) {
      if (one.id == pair.id()) not_early(pair.other.seen, one.at_ms);
    }
    slot.held.push_back(std::move(pair));
  }
}

} // namespace swapmq::differential
