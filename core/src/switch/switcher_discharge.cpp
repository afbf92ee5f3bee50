// SPDX-License-Identifier: MIT
//
// Steps 5 to 7 and 9 of PROTOCOL.md: what is done with the backends that are not the active one.
#include <algorithm>
#include <utility>

#include "failpoint.h"
#include "switch/switcher.h"

namespace swapmq::switching {

using queue::Deadline;
using queue::LogLevel;
using queue::Side;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds look_patience{2000};
constexpr milliseconds long_round{50};    // from then on it counts whether somebody waits
constexpr milliseconds watch_again{5000}; // at what is retired
// That a side is empty is believed after two looks at the least; where its numbers are not exact,
// or others publish there, after all those of a few seconds.
constexpr milliseconds quiet_if_exact{50};
constexpr milliseconds quiet_otherwise{3000};
// Before that, what others publish there may have been on its way at the cut-over.
constexpr milliseconds others_have_followed{1000};

milliseconds long_enough(const Backlog& backlog, const std::optional<Deadline>& grew) {
  const bool others = grew && steady_clock::now() - *grew < quiet_otherwise;
  return backlog.exact && !others ? quiet_if_exact : quiet_otherwise;
}

/// Where there may be something to claim.
std::set<std::string> with_messages(const Backlog& backlog) {
  std::set<std::string> queues;
  for (const auto& [name, sizes] : backlog.queues) {
    if (!backlog.exact || sizes.ready + sizes.delayed > 0) queues.insert(name);
  }
  for (const auto& [name, count] : backlog.dead_letters) queues.insert(name);
  return queues;
}

} // namespace

bool Switcher::Quiet::lasts(bool quiet, milliseconds long_enough) {
  const Deadline now = steady_clock::now();
  if (!quiet) {
    since.reset();
    return false;
  }
  if (!since) since = now;
  return now - *since >= long_enough;
}

// ---- which of them are consumed from ------------------------------------------------------------

/// Relaxed: all that are not to be left alone. Strict: one of the chain only once all before it
/// have passed; those that are merely watched only when nothing is owed.
void Switcher::open_gates() {
  const Record record = journal_->read();
  bool open = true;
  for (const std::string& key : record.chain) {
    Visited& visited = visited_.at(key);
    // Whoever only publishes, while others consume, cannot see that these are done with what came
    // before: it waits until that is gone.
    if (key == record.active) traffic_.hold_publishes(record.holds && !open);
    const bool alone = key != record.active && record.policy(key) == BacklogPolicy::leave;
    // What an instance before it gives back comes first, too.
    const bool replaced = std::any_of(leaving_.begin(), leaving_.end(),
                                      [&](const auto& side) { return side->key() == key; });
    let_consume(visited, !alone && (!record.strict || (open && !replaced)));
    open = open && (alone || visited.passed);
  }
  for (auto& [key, visited] : visited_) {
    if (record.owes(key)) continue;
    const bool next = waiting_ && waiting_->target.key == key; // in strict order
    let_consume(visited, !next && (!record.strict || record.chain.size() == 1));
  }
}

void Switcher::let_consume(Visited& visited, bool yes) {
  if (visited.side == nullptr || visited.consumed == yes) return;
  visited.consumed = yes;
  if (yes) return traffic_.consume_from(visited.side);
  traffic_.hold_back(visited.side);
}

// ---- step 5: discharge --------------------------------------------------------------------------

void Switcher::discharge() {
  const Record record = journal_->read();
  const Deadline began = steady_clock::now();
  std::size_t owed = 0;
  for (const std::string& key : record.chain) {
    if (key == record.active) continue;
    // One look at what does not answer is all that a request waits for.
    if (steady_clock::now() - began > long_round && hurried()) return;
    Visited& visited = visited_.at(key);
    const BacklogPolicy policy = record.policy(key);
    look(visited, record);
    move_what_is_to_move(visited, record);
    if (!is_discharged(visited, policy)) {
      ++owed;
    } else if (Error error =
                   policy == BacklogPolicy::leave ? leave_alone(visited) : retire(visited)) {
      visited.error = std::move(error);
      ++owed;
    }
  }
  if (draining_ == 0) return;
  if (owed > 0 || !leaving_.empty()) return tell_overdue();
  enter(std::exchange(draining_, 0), SwitchPhase::retired);
}

/// In this order: our own calls have ended; then a look says that there is nothing; and so does
/// another one, or those of a while.
bool Switcher::is_discharged(Visited& visited, BacklogPolicy policy) {
  const bool leaves = policy == BacklogPolicy::leave;
  if (visited.side == nullptr) return leaves;
  const Side& side = *visited.side;
  const bool ours_ended = side.in_flight() == 0 && traffic_.unsettled(side) == 0;
  // The look that names what stays comes after that, too.
  if (leaves) return visited.settled.lasts(ours_ended, quiet_if_exact);
  const bool read = visited.looked && !visited.error;
  const bool moving = visited.mover != nullptr && visited.mover->carries();
  const Backlog& backlog = visited.backlog;
  const bool settled =
      ours_ended && read && !moving && backlog.sum.ready + backlog.sum.unacked == 0;
  const bool moved = policy != BacklogPolicy::transfer || backlog.dead_letters.empty();
  const milliseconds enough = long_enough(backlog, visited.grew);
  if (visited.settled.lasts(settled, enough)) visited.passed = true;
  return visited.empty.lasts(settled && moved && backlog.sum.delayed == 0, enough);
}

/// Only once our own calls there have ended: what they bring must be seen.
void Switcher::look(Visited& visited, const Record& record) {
  if (visited.side == nullptr || visited.side->in_flight() > 0) {
    visited.looked.reset();
    return;
  }
  if (steady_clock::now() < visited.next_look) return;
  Failpoints::reach("discharge: before the look");
  auto backlog = read_backlog(*visited.side, record, traffic_, steady_clock::now() + look_patience);
  visited.error = backlog.error();
  if (backlog) {
    note_growth(visited, *backlog);
    visited.backlog = std::move(*backlog);
    visited.look_pauses.reset();
  } else {
    visited.next_look = steady_clock::now() + visited.look_pauses.next();
  }
  visited.looked = steady_clock::now();
}

/// We publish there no more: if more lies there than before, somebody else does.
void Switcher::note_growth(Visited& visited, const Backlog& now) {
  if (steady_clock::now() < cut_over_at_ + others_have_followed) return;
  const bool comparable = visited.looked && *visited.looked > cut_over_at_ + others_have_followed &&
                          visited.backlog.exact && now.exact;
  if (comparable && now.sum.all() > visited.backlog.sum.all()) note_others(visited);
}

/// The same if what came from there is newer than our leaving it; also where nobody looks any more,
/// since consumers see it.
void Switcher::notice_others() {
  const std::string active = journal_->read().active;
  for (auto& [key, visited] : visited_) {
    if (key == active || visited.side == nullptr) continue;
    const std::int64_t newest = visited.side->newest_ms();
    const bool came = newest > std::exchange(visited.newest_ms, newest);
    if (came && newest > cut_over_at_unix_ms_ + others_have_followed.count()) note_others(visited);
  }
}

void Switcher::note_others(Visited& visited) {
  if (!visited.grew || *visited.grew < cut_over_at_) {
    say(LogLevel::warning, "others publish to " + visited.member.key +
                               ", which this host has left: they have not followed yet, or have "
                               "switched the other way; nothing is lost: what comes there is "
                               "consumed, and it is not retired meanwhile");
  }
  visited.grew = steady_clock::now();
}

Error Switcher::retire(Visited& visited) {
  const std::string& key = visited.member.key;
  Failpoints::reach("retire: before the journal");
  Error error = journal_->change([&](Record& record) {
    std::erase(record.chain, key);
    record.policies.erase(key);
    if (!visited.backlog.dead_letters.empty()) record.left[key] = visited.backlog.dead_letters;
  });
  if (error) return error;
  Failpoints::reach("retire: done");
  stop_moving(visited);
  std::string line = key + " is retired: it is empty, and still watched";
  if (!visited.backlog.exact) line += "; its numbers are not exact";
  if (visited.moved > 0) line += "; " + std::to_string(visited.moved) + " messages were moved";
  const bool stays = !visited.backlog.dead_letters.empty();
  if (stays) line += "; dead letters stay: " + named(visited.backlog.dead_letters);
  say(stays ? LogLevel::warning : LogLevel::info, line);
  return {};
}

/// Policy leave: what lies there is named, and nobody here comes for it any more.
Error Switcher::leave_alone(Visited& visited) {
  const std::string key = visited.member.key;
  const Record::Sizes stays = all_of(visited.backlog);
  const bool known = visited.side != nullptr && visited.looked && !visited.error;
  Error error = journal_->change([&](Record& record) {
    std::erase(record.chain, key);
    record.visited.erase(key);
    record.left[key] = stays;
  });
  if (error) return error;
  leave(visited.side);
  visited_.erase(key);
  std::string line = key + " is left alone, with ";
  line += !known          ? "what lies there, which cannot be read"
          : stays.empty() ? "nothing"
                          : named(stays);
  say(LogLevel::warning, line);
  return {};
}

void Switcher::tell_overdue() {
  if (!overdue_at_ || steady_clock::now() < *overdue_at_) return;
  const auto limit = std::chrono::round<milliseconds>(*overdue_at_ - cut_over_at_);
  overdue_at_.reset(); // said once
  const std::string line = "the backend that was left still drains after " +
                           std::to_string(limit.count()) + " ms, the drain_timeout; it goes on";
  say(LogLevel::warning, line);
  const Lock lock(mutex_);
  if (status_.number == draining_) status_.error = Error(Errc::timeout, line, true);
}

// ---- steps 6 and 7: watch, move -----------------------------------------------------------------

/// Consumers of this host consume there what others still publish. Where there are none, somebody
/// has to see it.
void Switcher::watch() {
  const Record record = journal_->read();
  const auto consumed = traffic_.consumed_queues();
  const bool all_consumed =
      std::includes(consumed.begin(), consumed.end(), record.queues.begin(), record.queues.end());
  if (all_consumed && !record.more_queues) return;
  const Deadline began = steady_clock::now();
  for (auto& [key, visited] : visited_) {
    if (record.owes(key)) continue;
    if (steady_clock::now() - began > long_round && hurried()) return;
    const bool wait = visited.looked && steady_clock::now() - *visited.looked < watch_again;
    if (!wait) look(visited, record);
    move_what_is_to_move(visited, record);
  }
}

void Switcher::move_what_is_to_move(Visited& visited, const Record& record) {
  if (visited.side == nullptr || !visited.looked) return;
  const BacklogPolicy policy = record.policy(visited.member.key);
  std::set<std::string> queues;
  if (policy == BacklogPolicy::transfer) {
    queues = with_messages(visited.backlog);
  } else if (policy == BacklogPolicy::drain && !record.strict) {
    queues = stranded(visited);
  }
  if (queues.empty() && visited.mover == nullptr) return;
  if (visited.mover == nullptr) {
    say(LogLevel::info, "moving what lies on " + visited.member.key);
    visited.mover = std::make_unique<Mover>(traffic_, visited.side);
  }
  visited.mover->move(std::move(queues));
}

/// The queues that nobody consumes, as far as we see: nobody here, and they get no smaller.
std::set<std::string> Switcher::stranded(Visited& visited) {
  const Deadline now = steady_clock::now();
  milliseconds timeout{};
  {
    const Lock lock(mutex_);
    timeout = config_options_.stranded_timeout;
  }
  const auto consumed = traffic_.consumed_queues();
  std::set<std::string> queues;
  for (const auto& [name, sizes] : visited.backlog.queues) {
    if (sizes.ready == 0 || consumed.contains(name)) {
      visited.untouched.erase(name);
      continue;
    }
    Untouched& one = visited.untouched.try_emplace(name, Untouched{sizes.ready, now}).first->second;
    const bool touched = sizes.ready < one.ready || sizes.unacked > 0;
    one.ready = sizes.ready;
    if (touched && !one.moving) one.since = now;
    one.moving = one.moving || now - one.since >= timeout;
    if (one.moving) queues.insert(name);
  }
  return queues;
}

void Switcher::stop_moving(Visited& visited) {
  if (visited.mover == nullptr) return;
  visited.mover->stop(); // first: until then it moves
  visited.moved += visited.mover->moved();
  visited.mover.reset();
}

} // namespace swapmq::switching
