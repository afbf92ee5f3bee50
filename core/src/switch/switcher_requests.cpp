// SPDX-License-Identifier: MIT
//
// What others ask of the switch and see of it; the steps are in switcher.cpp.
#include <algorithm>
#include <utility>

#include "switch/switcher.h"

namespace swapmq::switching {

using queue::Deadline;
using queue::LogLevel;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds crossed_memory{10'000};

bool before_cut_over(SwitchPhase phase) {
  return phase == SwitchPhase::prepare || phase == SwitchPhase::cut_over;
}

bool under_way(SwitchPhase phase) { return before_cut_over(phase) || phase == SwitchPhase::drain; }

} // namespace

bool Switcher::preparing() const { return work_.request || before_cut_over(status_.phase); }

std::uint64_t Switcher::begin(const Member& target, const SwitchOptions& options, Origin origin) {
  const std::uint64_t number = ++status_.number;
  work_.request = Request{number, target, options, origin};
  target_ = target;
  origin_ = origin;
  asked_ = steady_clock::now();
  status_.phase = SwitchPhase::prepare;
  status_.from = active_.key;
  status_.to = target.key;
  status_.error = {};
  status_.changes.clear();
  changed_.notify_all();
  return number;
}

Result<std::uint64_t> Switcher::ask(const Member& target, const SwitchOptions& options) {
  return ask_as(target, options, Origin::command);
}

Result<std::uint64_t> Switcher::ask_as(const Member& target, const SwitchOptions& options,
                                       Origin origin) {
  const Lock lock(mutex_);
  if (stopping_) return Error(Errc::closed, "the message queue is closed");
  if (preparing()) {
    return Error(Errc::conflict,
                 "a switch to " + status_.to + " is being prepared; cancel it first");
  }
  if (target.key == active_.key) {
    return Error(Errc::invalid_argument, target.name + " is the active backend already");
  }
  if (options.policy == BacklogPolicy::transfer && options.order == SwitchOrder::strict) {
    return Error(Errc::invalid_argument,
                 "messages that are moved lose their order; with strict order the policy can be "
                 "drain or leave");
  }
  return begin(target, options, origin);
}

Result<Followed> Switcher::follow(const Following& following) {
  const Member& target = following.listed.back();
  const std::string refused = journal_->read().refused_config;
  if (!refused.empty() && refused != target.key) {
    Error error = journal_->change([](Record& record) { record.refused_config.clear(); });
    if (error) return error;
  }
  const Lock lock(mutex_);
  if (stopping_) return Error(Errc::closed, "the message queue is closed");
  work_.following = following;
  config_options_ = following.options;
  status_.configured = target.key;
  status_.config_refused = refused == target.key && target.key != active_.key;
  const bool same = target.key == active_.key;
  Followed followed;
  followed.other_options = same && !target.same_instance(active_);
  followed.stays = same && forgetful_;
  const bool needed = !status_.config_refused && !followed.stays &&
                      (!same || followed.other_options || following.renew);
  if (preparing() && (needed || origin_ == Origin::config)) {
    if (needed && !following.renew && target_.same_instance(target)) {
      followed.number = status_.number; // that is on its way
      return followed;
    }
    cancelled_ = status_.number;
    if (std::exchange(work_.request, std::nullopt)) status_.phase = SwitchPhase::cancelled;
  }
  if (needed) followed.number = begin(target, following.options, Origin::config);
  changed_.notify_all();
  return followed;
}

Error Switcher::cancel() {
  {
    const Lock lock(mutex_);
    if (status_.phase == SwitchPhase::prepare) {
      cancelled_ = status_.number;
      return {};
    }
    if (status_.phase != SwitchPhase::drain) {
      return {Errc::not_found, "no switch is under way that could be cancelled"};
    }
  }
  return roll_back().error();
}

Result<std::uint64_t> Switcher::roll_back() {
  const std::string before = journal_->read().before;
  if (before.empty()) {
    return Error(Errc::not_found, "no other backend was active before that is still watched");
  }
  auto target = journal_->member(before);
  if (!target) return target.error();
  SwitchOptions options;
  {
    const Lock lock(mutex_);
    options = config_options_;
  }
  options.allow_capability_loss = true; // it was good enough before
  if (options.policy == BacklogPolicy::leave) {
    options.policy = BacklogPolicy::drain; // what the backend that is left has confirmed comes back
  }
  return ask_as(*target, options, Origin::roll_back);
}

Error Switcher::forget(std::string_view backend, bool give_up) {
  const Lock lock(mutex_);
  if (stopping_) return {Errc::closed, "the message queue is closed"};
  const std::vector<BackendStatus>& all = status_.backends;
  const auto meant = [&](const BackendStatus& one) {
    return one.key == backend || one.name == backend;
  };
  const auto found = std::find_if(all.begin(), all.end(), meant);
  const std::string quoted = "\"" + std::string(backend) + "\"";
  if (found == all.end()) return {Errc::not_found, "no backend " + quoted + " is watched"};
  if (std::count_if(all.begin(), all.end(), meant) > 1) {
    std::string keys;
    for (const BackendStatus& one : all) keys += meant(one) ? " " + one.key : "";
    return {Errc::invalid_argument, quoted + " may be any of" + keys + "; name one of these"};
  }
  if (found->key == active_.key) {
    return {Errc::invalid_argument, found->key + " is the active backend"};
  }
  // What was active when it was last looked at has been left since, and nobody knows yet what for.
  if ((found->owed || found->active) && !give_up) {
    const Sizes sum{found->ready, found->unacked, found->delayed};
    return {Errc::conflict, found->key + " is owed " + in_words(sum, found->by_queue) +
                                "; they stay there if it is given up"};
  }
  work_.forget.push_back(found->key);
  changed_.notify_all();
  return {};
}

bool Switcher::stopping() const {
  const Lock lock(mutex_);
  return stopping_;
}

bool Switcher::cancelled(const Request& request) const {
  const Lock lock(mutex_);
  return request.number <= cancelled_ || stopping_;
}

bool Switcher::hurried() const {
  const Lock lock(mutex_);
  return stopping_ || work_.request || work_.following || !work_.forget.empty();
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

/// Of one that another request has followed on, only the log hears.
void Switcher::enter(std::uint64_t number, SwitchPhase phase, const Error& why) {
  describe_backends();
  entered_.at(static_cast<std::size_t>(phase)).add();
  std::string line = "switch " + std::to_string(number);
  {
    const Lock lock(mutex_);
    if (number == status_.number) {
      status_.phase = phase;
      status_.error = why;
      status_.elapsed = std::chrono::ceil<milliseconds>(steady_clock::now() - asked_);
      line += " from " + status_.from + " to " + status_.to + ", after " +
              std::to_string(status_.elapsed.count()) + " ms";
    }
    changed_.notify_all();
  }
  line += ": " + std::string(to_string(phase));
  if (why) line += ": " + why.message();
  say(why ? LogLevel::error : LogLevel::info, line);
}

std::vector<Metric> Switcher::metrics() const {
  std::vector<Metric> all;
  for (std::size_t phase = 0; phase < phases; ++phase) {
    const auto word = to_string(static_cast<SwitchPhase>(phase));
    const auto count = static_cast<double>(entered_.at(phase).value());
    if (count > 0)
      all.push_back({"swapmq_switch_phases_total", {{"phase", std::string(word)}}, count});
  }
  const Lock lock(mutex_);
  for (const BackendStatus& one : status_.backends) {
    if (one.moved == 0) continue;
    all.push_back(
        {"swapmq_switch_moved_total", {{"backend", one.name}}, static_cast<double>(one.moved)});
  }
  return all;
}

void Switcher::describe_backends() {
  const Record record = journal_->read();
  std::vector<BackendStatus> backends;
  const Deadline now = steady_clock::now();
  bool crossed = false;
  for (const auto& [key, visited] : visited_) {
    BackendStatus one;
    one.key = key;
    one.name = visited.member.name;
    one.active = key == record.active;
    one.owed = !one.active && record.owes(key);
    one.watched = record.policy(key) != BacklogPolicy::leave;
    one.missing = visited.side == nullptr;
    if (visited.side != nullptr) one.in_flight = visited.side->in_flight();
    one.ready = visited.backlog.sum.ready;
    one.unacked = visited.backlog.sum.unacked;
    one.delayed = visited.backlog.sum.delayed;
    if (one.owed) one.by_queue = all_of(visited.backlog);
    one.moved = visited.moved + (visited.mover != nullptr ? visited.mover->moved() : 0);
    if (const auto left = record.left.find(key); left != record.left.end()) one.left = left->second;
    one.error = visited.error;
    if (!one.error && visited.mover != nullptr) one.error = visited.mover->error();
    crossed = crossed || (!one.active && visited.grew && now - *visited.grew < crossed_memory);
    backends.insert(one.active ? backends.begin() : backends.end(), std::move(one));
  }
  for (const auto& [key, policy] : record.policies) {
    if (record.visited.contains(key)) continue; // the others were left alone
    BackendStatus one;
    one.key = key;
    one.name = record.members.at(key).name;
    if (const auto left = record.left.find(key); left != record.left.end()) one.left = left->second;
    backends.push_back(std::move(one));
  }
  const Lock lock(mutex_);
  status_.crossed = crossed;
  status_.backends = std::move(backends);
}

void Switcher::say(LogLevel level, const std::string& line) { traffic_.log().write(level, line); }

} // namespace swapmq::switching
