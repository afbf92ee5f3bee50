// SPDX-License-Identifier: MIT
#include "switch/switcher.h"

#include <algorithm>
#include <utility>

#include "failpoint.h"

namespace swapmq::switching {

using queue::Deadline;
using queue::LogLevel;
using queue::Side;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds look_period{50};    // while something is owed
constexpr milliseconds watch_period{1000}; // otherwise
constexpr milliseconds look_patience{2000};
// That a side is empty is believed after two looks at the least; where its numbers are not exact,
// after all those of a few seconds.
constexpr milliseconds quiet_if_exact{50};
constexpr milliseconds quiet_otherwise{3000};

bool before_cut_over(SwitchPhase phase) {
  return phase == SwitchPhase::prepare || phase == SwitchPhase::cut_over;
}

bool under_way(SwitchPhase phase) { return before_cut_over(phase) || phase == SwitchPhase::drain; }

std::string lost_capabilities(const std::vector<CapabilityChange>& changes) {
  std::string text;
  for (const CapabilityChange& change : changes) {
    if (!change.lost) continue;
    text += (text.empty() ? "" : ", ") + change.name + " " + change.before + " -> " + change.after;
  }
  return text;
}

} // namespace

Switcher::Switcher(Traffic& traffic, std::unique_ptr<Journal> journal, const SwitchOptions& follow)
    : traffic_(traffic), journal_(std::move(journal)), follow_(follow) {}

Switcher::~Switcher() { stop(); }

// ---- step 1: boot -------------------------------------------------------------------------------

Result<std::shared_ptr<Side>> Switcher::boot(const std::vector<Member>& listed) {
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
  auto side = traffic_.open_side(active.member);
  if (!side) return side.error();
  active.side = *side;
  if (configured.key != key) configured_ = configured;
  return side;
}

/// What the journal says was visited; how to get there the config may know better: its password may
/// be a newer one.
Error Switcher::recall(const std::vector<Member>& listed) {
  const Record record = journal_->read();
  auto opened = record.members;
  for (const std::string& key : record.visited) {
    const auto same = std::find_if(listed.begin(), listed.end(),
                                   [&](const Member& member) { return member.key == key; });
    if (same != listed.end()) {
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
  if (configured_) {
    if (const Error error = ask(*configured_, follow_)) say(LogLevel::error, error.message());
  }
  describe_backends();
  thread_ = std::thread([this] { run(); });
}

void Switcher::stop() {
  {
    const Lock lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void Switcher::run() {
  while (true) {
    const std::optional<Request> request = next_request();
    {
      const Lock lock(mutex_);
      if (stopping_) return;
    }
    if (request) perform(*request);
    open_missing();
    discharge();
    describe_backends();
  }
}

std::optional<Switcher::Request> Switcher::next_request() {
  const bool owed = journal_->read().chain.size() > 1;
  const Deadline until = steady_clock::now() + (owed ? look_period : watch_period);
  const Lock lock(mutex_);
  while (!stopping_ && !request_ && steady_clock::now() < until) {
    changed_.wait_until(mutex_, until);
  }
  return std::exchange(request_, std::nullopt);
}

// ---- steps 2 and 3: prepare, cut over -----------------------------------------------------------

void Switcher::perform(const Request& request) {
  auto side = prepare(request);
  if (cancelled()) return enter(SwitchPhase::cancelled);
  if (!side) {
    const bool refused = side.error().code() == Errc::not_supported;
    return enter(refused ? SwitchPhase::refused : SwitchPhase::failed, side.error());
  }
  if (request.options.dry_run) return enter(SwitchPhase::refused);
  enter(SwitchPhase::cut_over);
  if (Error error = cut_over(request, *side)) return enter(SwitchPhase::failed, error);
  enter(SwitchPhase::drain);
}

Result<std::shared_ptr<Side>> Switcher::prepare(const Request& request) {
  const Deadline deadline = steady_clock::now() + request.options.prepare_timeout;
  const auto known = visited_.find(request.target.key);
  std::shared_ptr<Side> side = known != visited_.end() ? known->second.side : nullptr;
  if (side == nullptr) {
    auto opened = traffic_.open_side(request.target);
    if (!opened) return opened.error();
    side = std::move(*opened);
  }
  if (Error error = side->ping(deadline)) return error;
  if (Error error = compare(*side, request.options)) return error;
  if (request.options.dry_run) return side;
  if (Error error = make_queues(*side, deadline)) return error;
  if (Error error = side->warm_up(deadline)) return error;
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

Error Switcher::make_queues(Side& target, Deadline deadline) {
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
    if (cancelled()) return {Errc::interrupted, "cancelled"};
  }
  return {};
}

/// Once more whether it answers; journal, consumers, route, in this order: a crash between any two
/// finds everything again.
Error Switcher::cut_over(const Request& request, const std::shared_ptr<Side>& side) {
  if (Error error = side->ping(steady_clock::now() + look_patience)) return error;
  const std::string& key = request.target.key;
  auto opened = journal_->keep_options(request.target);
  if (!opened) return opened.error();
  const std::string before = journal_->read().active;
  Failpoints::reach("cut over: before the journal");
  Error error = journal_->change([&](Record& record) {
    std::erase(record.chain, key);
    record.chain.push_back(key);
    record.active = key;
    record.visited.insert(key);
    record.left.erase(key);
    record.members[key] = *opened;
  });
  if (error) return error;
  Failpoints::reach("cut over: before the consumers");
  Visited& visited = visited_[key];
  visited.member = request.target;
  visited.side = side;
  traffic_.consume_from(side);
  Failpoints::reach("cut over: before the route");
  traffic_.publish_to(side);
  Failpoints::reach("cut over: done");
  const Lock lock(mutex_);
  before_ = visited_.at(before).member;
  return {};
}

// ---- steps 5 and 6: discharge, watch ------------------------------------------------------------

/// Those that a crash or an outage left unopened: they are owed messages, or may get some.
void Switcher::open_missing() {
  for (auto& [key, visited] : visited_) {
    if (visited.side != nullptr || visited.member.name.empty()) continue;
    auto side = traffic_.open_side(visited.member);
    if (side) {
      visited.side = *side;
      visited.error = {};
      traffic_.consume_from(*side);
      say(LogLevel::info, "consuming from " + key + " as well, since it was used before");
    } else {
      if (visited.error.message() != side.error().message()) {
        say(LogLevel::error, key +
                                 ", which is owed its messages, cannot be opened, trying again: " +
                                 side.error().message());
      }
      visited.error = side.error();
    }
  }
}

void Switcher::discharge() {
  const Record record = journal_->read();
  std::size_t owed = 0;
  for (const std::string& key : record.chain) {
    if (key == record.active) continue;
    Visited& visited = visited_.at(key);
    if (!is_empty(visited)) {
      ++owed;
    } else if (Error error = retire(visited)) {
      visited.error = std::move(error);
      ++owed;
    }
  }
  const SwitchPhase phase = status().phase;
  if (owed == 0 && phase == SwitchPhase::drain) enter(SwitchPhase::retired);
}

/// In this order: our own calls have ended; then one look says that there is nothing; and so does
/// another one, or those of a while.
bool Switcher::is_empty(Visited& visited) {
  if (visited.side == nullptr) return false;
  Side& side = *visited.side;
  bool nothing = false;
  if (side.in_flight() == 0) {
    Failpoints::reach("discharge: before the look");
    const auto backlog =
        read_backlog(side, journal_->read(), traffic_, steady_clock::now() + look_patience);
    visited.error = backlog.error();
    if (backlog) visited.backlog = *backlog;
    nothing = backlog && backlog->nothing() && traffic_.unsettled(side) == 0;
  }
  const Deadline now = steady_clock::now();
  if (!nothing) {
    visited.quiet_since.reset();
  } else if (!visited.quiet_since) {
    visited.quiet_since = now;
  } else {
    return now - *visited.quiet_since >= (visited.backlog.exact ? quiet_if_exact : quiet_otherwise);
  }
  return false;
}

Error Switcher::retire(const Visited& visited) {
  const std::string& key = visited.member.key;
  Failpoints::reach("retire: before the journal");
  Error error = journal_->change([&](Record& record) {
    std::erase(record.chain, key);
    if (!visited.backlog.dead_letters.empty()) record.left[key] = visited.backlog.dead_letters;
  });
  if (error) return error;
  Failpoints::reach("retire: done");
  std::string line = key + " is retired: it is empty, and still watched";
  if (!visited.backlog.exact) line += "; its numbers are not exact";
  for (const auto& [queue, count] : visited.backlog.dead_letters) {
    line += "; " + std::to_string(count) + " dead letters stay in \"" + queue + "\"";
  }
  say(visited.backlog.dead_letters.empty() ? LogLevel::info : LogLevel::warning, line);
  return {};
}

// ---- what others ask and see --------------------------------------------------------------------

Error Switcher::ask(const Member& target, const SwitchOptions& options) {
  const std::string active = journal_->read().active;
  if (target.key == active) {
    return {Errc::invalid_argument, target.name + " is the active backend already"};
  }
  const Lock lock(mutex_);
  if (stopping_) return {Errc::closed, "the message queue is closed"};
  if (request_ || before_cut_over(status_.phase)) {
    return {Errc::conflict, "a switch to " + status_.to + " is being prepared; cancel it first"};
  }
  request_ = Request{target, options};
  cancel_ = false;
  asked_ = steady_clock::now();
  status_.number += 1;
  status_.phase = SwitchPhase::prepare;
  status_.from = active;
  status_.to = target.key;
  status_.error = {};
  status_.changes.clear();
  changed_.notify_all();
  return {};
}

Error Switcher::cancel() {
  std::optional<Member> back;
  {
    const Lock lock(mutex_);
    if (status_.phase == SwitchPhase::prepare) {
      cancel_ = true;
      return {};
    }
    if (status_.phase == SwitchPhase::drain) back = before_;
  }
  if (!back) return {Errc::not_found, "no switch is under way that could be cancelled"};
  SwitchOptions options;
  options.allow_capability_loss = true; // it was good enough before
  return ask(*back, options);
}

bool Switcher::cancelled() const {
  const Lock lock(mutex_);
  return cancel_ || stopping_;
}

SwitchStatus Switcher::status() const {
  const Lock lock(mutex_);
  SwitchStatus status = status_;
  if (under_way(status.phase)) {
    status.elapsed = std::chrono::ceil<milliseconds>(steady_clock::now() - asked_);
  }
  return status;
}

SwitchStatus Switcher::wait(Deadline deadline) {
  {
    const Lock lock(mutex_);
    while (under_way(status_.phase) && !stopping_ && steady_clock::now() < deadline) {
      changed_.wait_until(mutex_, deadline);
    }
  }
  return status();
}

void Switcher::enter(SwitchPhase phase, const Error& why) {
  describe_backends();
  SwitchStatus now;
  {
    const Lock lock(mutex_);
    status_.phase = phase;
    status_.error = why;
    status_.elapsed = std::chrono::ceil<milliseconds>(steady_clock::now() - asked_);
    now = status_;
    changed_.notify_all();
  }
  say(why ? LogLevel::error : LogLevel::info,
      "switch " + std::to_string(now.number) + " from " + now.from + " to " + now.to + ": " +
          std::string(to_string(phase)) + " after " + std::to_string(now.elapsed.count()) + " ms" +
          (why ? ": " + why.message() : ""));
}

void Switcher::describe_backends() {
  const Record record = journal_->read();
  std::vector<BackendStatus> backends;
  for (const auto& [key, visited] : visited_) {
    BackendStatus one;
    one.key = key;
    one.name = visited.member.name;
    one.active = key == record.active;
    one.owed = !one.active &&
               std::find(record.chain.begin(), record.chain.end(), key) != record.chain.end();
    if (visited.side != nullptr) one.in_flight = visited.side->in_flight();
    one.ready = visited.backlog.ready;
    one.unacked = visited.backlog.unacked;
    one.delayed = visited.backlog.delayed;
    if (const auto left = record.left.find(key); left != record.left.end()) one.left = left->second;
    one.error = visited.error;
    backends.insert(one.active ? backends.begin() : backends.end(), std::move(one));
  }
  const Lock lock(mutex_);
  status_.backends = std::move(backends);
}

void Switcher::say(LogLevel level, const std::string& line) { traffic_.log().write(level, line); }

} // namespace swapmq::switching
