// SPDX-License-Identifier: MIT
#include "switch/switcher.h"

#include <algorithm>
#include <utility>

#include "failpoint.h"
#include "queue/clock.h"
#include "quiet_thread.h"

namespace swapmq::switching {

using queue::Deadline;
using queue::LogLevel;
using queue::Side;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds look_period{50};    // while something is owed
constexpr milliseconds watch_period{1000}; // otherwise
constexpr milliseconds ping_patience{2000};

/// Messages that it holds are gone with the last of its instances, or with this one.
bool forgets(const Side& side) {
  return side.backend().capabilities().durability == SWAPMQ_DURABILITY_NONE;
}

/// Null: it is not among them.
const Member* find(const std::vector<Member>& members, const std::string& key) {
  const auto found = std::find_if(members.begin(), members.end(),
                                  [&](const Member& member) { return member.key == key; });
  return found != members.end() ? &*found : nullptr;
}

std::string lost_capabilities(const std::vector<CapabilityChange>& changes) {
  std::string text;
  for (const CapabilityChange& change : changes) {
    if (!change.lost) continue;
    text += (text.empty() ? "" : ", ") + change.name + " " + change.before + " -> " + change.after;
  }
  return text;
}

} // namespace

Switcher::Switcher(Traffic& traffic, std::unique_ptr<Journal> journal)
    : traffic_(traffic),
      journal_(std::move(journal)),
      line_(
          [this](const Member& member) {
            return traffic_.open_side(member, {.given_up = [this] { return stopping(); }});
          },
          [this] {
            const Lock lock(mutex_);
            opened_ = true;
            changed_.notify_all();
          }) {}

Switcher::~Switcher() { stop(); }

// ---- step 1: boot -------------------------------------------------------------------------------

Result<std::shared_ptr<Side>> Switcher::boot(const Following& following) {
  const std::vector<Member>& listed = following.listed;
  const Member& configured = listed.back();
  if (journal_->fresh()) {
    const bool damaged = !journal_->set_aside().empty();
    if (damaged) say(LogLevel::error, journal_->set_aside());
    // Of a damaged one nothing is known: too many backends are safe, too few lose messages.
    if (Error error = begin_journal(damaged ? listed : std::vector{configured})) return error;
  }
  if (Error error = recall(listed)) return error;
  const std::string key = journal_->read().active;
  Visited& active = visited_.at(key);
  if (active.error) return active.error;
  auto side = traffic_.open_side(active.member, {});
  if (!side) return side.error();
  active.side = *side;
  {
    const Lock lock(mutex_);
    active_ = active.member;
    forgetful_ = forgets(**side);
  }
  auto followed = follow(following);
  return followed ? side : Result<std::shared_ptr<Side>>(followed.error());
}

/// What the journal says was visited; how to get there the config may know better: its password may
/// be a newer one.
Error Switcher::recall(const std::vector<Member>& listed) {
  const Record record = journal_->read();
  auto opened = record.members;
  for (const std::string& key : record.visited) {
    const Member* same = find(listed, key);
    if (same != nullptr) {
      auto kept = journal_->keep_options(*same);
      if (!kept) return kept.error();
      opened[key] = std::move(*kept);
      visited_[key].member = *same;
    } else if (auto member = journal_->member(key)) {
      visited_[key].member = std::move(*member);
    } else {
      visited_[key].error = member.error();
    }
  }
  if (opened == record.members) return {};
  return journal_->change([&](Record& changed) { changed.members = opened; });
}

Error Switcher::begin_journal(const std::vector<Member>& chain) {
  std::map<std::string, Record::Opened> members;
  for (const Member& member : chain) {
    auto opened = journal_->keep_options(member);
    if (!opened) return opened.error();
    members[member.key] = std::move(*opened);
  }
  return journal_->change([&](Record& record) {
    for (const Member& member : chain) {
      if (record.visited.insert(member.key).second) record.chain.push_back(member.key);
    }
    record.active = record.chain.back();
    record.members = members;
  });
}

void Switcher::start() {
  publishes_there_from_now();
  open_gates();
  describe_backends();
  thread_ = quiet_thread([this] { run(); });
}

void Switcher::stop() {
  {
    const Lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
  line_.stop();
  for (auto& [key, visited] : visited_) stop_moving(visited);
}

void Switcher::run() {
  while (auto work = wait_for_work()) {
    forget_those(work->forget);
    if (work->following) refresh(*work->following);
    if (work->request) {
      // A newer one has taken the place of what waits.
      if (waiting_) enter(waiting_->number, SwitchPhase::cancelled);
      waiting_.reset();
      perform(*work->request);
    } else if (auto waited = std::exchange(waiting_, std::nullopt)) {
      perform(std::move(*waited));
    }
    open_missing();
    open_gates();
    sweep();
    notice_others();
    discharge();
    open_gates(); // of what has passed now
    watch();
    describe_backends();
  }
}

std::optional<Switcher::Work> Switcher::wait_for_work() {
  const bool busy = journal_->read().chain.size() > 1 || !leaving_.empty() || waiting_;
  const Deadline until = steady_clock::now() + (busy ? look_period : watch_period);
  const Lock lock(mutex_);
  const auto idle = [&]() SWAPMQ_REQUIRES(mutex_) {
    return !stopping_ && !opened_ && !work_.request && !work_.following && work_.forget.empty();
  };
  while (idle() && steady_clock::now() < until) changed_.wait_until(mutex_, until);
  if (stopping_) return std::nullopt;
  opened_ = false;
  return std::exchange(work_, Work{});
}

// ---- steps 2 and 3: prepare, cut over -----------------------------------------------------------

void Switcher::perform(Request request) {
  const std::uint64_t number = request.number;
  const auto known = visited_.find(request.target.key);
  if (request.origin == Origin::roll_back && known != visited_.end()) {
    request.target = known->second.member;
  }
  if (!request.prepared_by) {
    request.prepared_by = steady_clock::now() + request.options.prepare_timeout;
    enter(number, SwitchPhase::prepare);
  }
  if (cancelled(request)) return enter(number, SwitchPhase::cancelled);
  if (must_wait(request)) {
    if (steady_clock::now() < *request.prepared_by) {
      waiting_ = std::move(request);
      return;
    }
    return enter(number, SwitchPhase::failed,
                 Error(Errc::timeout, request.target.key +
                                          " is still owed messages, or what came from there is "
                                          "not settled; in strict order it has to be empty before "
                                          "it gets new ones"));
  }
  auto side = prepare(request);
  if (cancelled(request)) return enter(number, SwitchPhase::cancelled);
  if (!side) {
    const bool refused = side.error().code() == Errc::not_supported;
    return enter(number, refused ? SwitchPhase::refused : SwitchPhase::failed, side.error());
  }
  if (request.options.dry_run) return enter(number, SwitchPhase::refused);
  enter(number, SwitchPhase::cut_over);
  if (Error error = cut_over(request, *side)) return enter(number, SwitchPhase::failed, error);
  draining_ = number;
  const milliseconds limit = request.options.drain_timeout;
  overdue_at_.reset();
  if (limit.count() > 0) overdue_at_ = cut_over_at_ + limit;
  enter(number, SwitchPhase::drain);
}

bool Switcher::must_wait(const Request& request) {
  if (request.options.order != SwitchOrder::strict || request.options.dry_run) return false;
  const Record record = journal_->read();
  const auto known = visited_.find(request.target.key);
  if (request.target.key == record.active || known == visited_.end()) return false;
  if (record.owes(request.target.key)) return true;
  const Visited& target = known->second;
  return target.side != nullptr && (target.consumed || !traffic_.sweep(target.side));
}

Result<std::shared_ptr<Side>> Switcher::prepare(const Request& request) {
  if (cancelled(request)) return Error(Errc::interrupted, "cancelled");
  const Deadline deadline = *request.prepared_by;
  const auto known = visited_.find(request.target.key);
  std::shared_ptr<Side> side = known != visited_.end() ? known->second.side : nullptr;
  // The active one is only asked for where another instance of it is wanted.
  const bool active = request.target.key == journal_->read().active;
  if (side == nullptr || active || known->second.anew ||
      !known->second.member.same_instance(request.target)) {
    auto opened = traffic_.open_side(request.target,
                                     {deadline, [this, &request] { return cancelled(request); }});
    if (!opened) return opened.error();
    side = std::move(*opened);
  }
  if (Error error = side->ping(deadline)) return error;
  if (Error error = compare(*side, request.options)) return error;
  if (request.options.dry_run) return side;
  if (Error error = make_queues(*side, request, deadline)) return error;
  Side::QueueSpecs queues;
  for (const std::string& name : journal_->read().queues) {
    queues.emplace(name, traffic_.queue_spec(name));
  }
  if (Error error = side->warm_up(queues, deadline)) return error;
  return side;
}

Error Switcher::compare(Side& target, const SwitchOptions& options) {
  const Side& active = *visited_.at(journal_->read().active).side;
  auto changes =
      plugin::capability_changes(active.backend().capabilities(), target.backend().capabilities());
  const std::string lost = lost_capabilities(changes);
  {
    const Lock lock(mutex_);
    status_.changes = std::move(changes);
  }
  if (lost.empty() || options.allow_capability_loss || options.dry_run) return {};
  return {Errc::not_supported, target.name() + " can do less than " + active.name() + " (" + lost +
                                   "); allow_capability_loss switches all the same"};
}

Error Switcher::make_queues(Side& target, const Request& request, Deadline deadline) {
  auto session = target.admin_sessions().acquire(deadline);
  if (!session) return session.error();
  std::set<std::string> names = journal_->read().queues;
  for (const std::string& name : std::set(names)) {
    if (std::string dead = traffic_.dead_letter_queue(name); !dead.empty()) names.insert(dead);
  }
  for (const std::string& name : names) {
    auto queue = (*session)->queue(name, traffic_.queue_spec(name));
    const Error error = queue ? (*session)->create_queue(*queue, deadline) : queue.error();
    if (error) {
      return {error.code(), "queue \"" + name + "\" on " + target.name() + ": " + error.message()};
    }
    if (cancelled(request)) return {Errc::interrupted, "cancelled"};
  }
  return {};
}

/// Once more whether it answers; journal, consumers, route, in this order: a crash between any two
/// finds everything again.
Error Switcher::cut_over(const Request& request, const std::shared_ptr<Side>& side) {
  if (Error error = side->ping(steady_clock::now() + ping_patience)) return error;
  const std::string& key = request.target.key;
  auto opened = journal_->keep_options(request.target);
  if (!opened) return opened.error();
  const std::string refused =
      request.origin == Origin::roll_back && status().configured != key ? status().configured : "";
  Failpoints::reach("cut over: before the journal");
  Error error = journal_->change([&](Record& record) {
    write_cut_over(request, record);
    record.refused_config = refused;
    record.members[key] = *opened;
  });
  if (error) return error;
  Failpoints::reach("cut over: before the consumers");
  Visited& visited = visited_[key];
  const std::shared_ptr<Side> replaced = visited.side;
  if (replaced != side) stop_moving(visited);
  visited.consumed = visited.consumed && replaced == side;
  visited.passed = false;
  visited.empty = visited.settled = {};
  visited.member = request.target;
  visited.side = side;
  visited.anew = false;
  traffic_.use(side);
  leave(replaced != side ? replaced : nullptr);
  open_gates();
  Failpoints::reach("cut over: before the route");
  {
    const Lock lock(mutex_); // before the route: who sees that changed sees this changed
    active_ = request.target;
    forgetful_ = forgets(*side);
    status_.config_refused = !refused.empty();
  }
  traffic_.publish_to(side);
  publishes_there_from_now();
  Failpoints::reach("cut over: done");
  return {};
}

void Switcher::publishes_there_from_now() {
  cut_over_at_ = steady_clock::now();
  cut_over_at_unix_ms_ = queue::unix_now_ms();
}

void Switcher::write_cut_over(const Request& request, Record& record) const {
  const std::string& key = request.target.key;
  if (record.active != key) {
    record.before = record.active;
    record.strict = request.options.order == SwitchOrder::strict;
    record.holds = record.strict && request.options.hold_publishes;
    record.policies.erase(record.active);
    if (request.options.policy != BacklogPolicy::drain) {
      record.policies[record.active] = request.options.policy;
    }
  }
  record.active = key;
  std::erase(record.chain, key);
  record.chain.push_back(key);
  record.visited.insert(key);
  record.left.erase(key);
  record.policies.erase(key);
}

/// A side in whose place there is another one.
void Switcher::leave(const std::shared_ptr<Side>& side) {
  if (side == nullptr) return;
  traffic_.leave(side);
  leaving_.push_back(side);
}

void Switcher::sweep() {
  std::erase_if(leaving_, [&](const auto& side) {
    if (!traffic_.sweep(side)) return false;
    side->close();
    return true;
  });
  for (auto& [key, visited] : visited_) {
    if (visited.side != nullptr) traffic_.sweep(visited.side); // consumers that were held back
  }
}

/// The backends that are only watched, as a new config has them.
void Switcher::refresh(const Following& following) {
  const Record record = journal_->read();
  for (const std::string& key : record.visited) {
    if (key == record.active) continue;
    const Member* same = find(following.listed, key);
    Visited& visited = visited_.at(key);
    if (same != nullptr) {
      const bool anew = following.renew && visited.side != nullptr && !forgets(*visited.side);
      if (visited.member.same_instance(*same) && !anew) continue;
      visited.error = reopen(visited, *same);
    } else if (!record.owes(key)) {
      if (Error error = stop_watching(key, "the config does not list it")) visited.error = error;
    }
  }
}

void Switcher::forget_those(const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    if (key == journal_->read().active) continue;
    const auto found = visited_.find(key);
    const Backlog stays = found != visited_.end() ? found->second.backlog : Backlog{};
    const auto by_queue = all_of(stays);
    const Error error = stop_watching(
        key, "somebody gave it up, with " + in_words(stays.sum, by_queue) + ", as last seen",
        by_queue.empty() ? LogLevel::info : LogLevel::warning);
    if (error) say(LogLevel::error, key + " cannot be forgotten: " + error.message());
  }
}

/// Ends the watching of one that is not active.
Error Switcher::stop_watching(const std::string& key, const std::string& why, LogLevel level) {
  Error error = journal_->change([&](Record& record) {
    std::erase(record.chain, key);
    record.visited.erase(key);
    record.left.erase(key);
    record.members.erase(key);
    record.policies.erase(key);
    if (record.before == key) record.before.clear();
  });
  if (error) return error;
  if (const auto found = visited_.find(key); found != visited_.end()) {
    stop_moving(found->second);
    leave(found->second.side);
    visited_.erase(found);
  }
  say(level, key + " is watched no more: " + why);
  return {};
}

} // namespace swapmq::switching
