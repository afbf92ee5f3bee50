// SPDX-License-Identifier: MIT
//
// scenario_host: a host that does what a test tells it, one line of its input at a time, and
// answers each with one line: "ok ..." or "error ...". Other programs publish and consume through
// it, see front.hpp.
// usage: scenario_host CONFIG SOCKET [PLACE]   killed at the PLACEth place where a test may stop it
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <mutex>
#include <set>
#include <sstream>
#include <string>

#include "failpoint.h"
#include "front.hpp"
#include "swapmq/swapmq.hpp"

namespace {

using namespace std::chrono_literals;
using swapmq::Error;
using swapmq::MessageQueue;
using switch_test::Front;

/// Where the process is killed, or a thread of it waits.
class Places {
 public:
  static Places& all() {
    static Places one;
    return one;
  }
  static void reached(const char* place) { all().reach(place); }

  /// Killed when, for the Nth time from now, a place is reached whose name begins with one of
  /// these.
  void kill_at(std::uint64_t n, std::set<std::string> prefixes) {
    const std::lock_guard lock(mutex_);
    kill_at_ = n;
    deadly_ = std::move(prefixes);
  }
  /// The thread that comes to such a place for the Nth time from now waits for resume().
  void pause_at(std::uint64_t n, std::set<std::string> prefixes) {
    const std::lock_guard lock(mutex_);
    pause_at_ = n;
    pausing_ = std::move(prefixes);
  }
  bool paused() {
    const std::lock_guard lock(mutex_);
    return paused_;
  }
  void resume() {
    const std::lock_guard lock(mutex_);
    paused_ = false;
    pausing_.clear();
    changed_.notify_all();
  }
  /// Killed at the Nth place of all; 0: at none. One of the journal counts anew after each step of
  /// the switch, another one only once.
  void kill_at_place(std::uint64_t n) {
    const std::lock_guard lock(mutex_);
    last_place_ = n;
  }

 private:
  void reach(std::string_view place) {
    std::unique_lock lock(mutex_);
    count_place(place);
    if (is_any_of(deadly_, place) && --kill_at_ == 0) ::kill(::getpid(), SIGKILL);
    if (paused_ || !is_any_of(pausing_, place) || --pause_at_ != 0) return;
    paused_ = true;
    changed_.wait(lock, [this] { return !paused_; });
  }

  void count_place(std::string_view place) {
    thread_local std::string step;
    const bool of_journal = place.starts_with("journal") || place.starts_with("file");
    if (!of_journal) step = place;
    const bool first = places_.insert(of_journal ? step + ", " + std::string(place) : step).second;
    if (first && places_.size() == last_place_) ::kill(::getpid(), SIGKILL);
  }
  static bool is_any_of(const std::set<std::string>& prefixes, std::string_view place) {
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [&](const std::string& prefix) { return place.starts_with(prefix); });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t kill_at_ = 0, pause_at_ = 0;
  std::set<std::string> deadly_, pausing_;
  std::uint64_t last_place_ = 0;
  std::set<std::string> places_; ///< that were reached
  bool paused_ = false;
};

std::string answer(const Error& error) {
  if (!error) return "ok";
  return "error " + std::string(to_string(error.code())) + " " + error.message();
}

std::string text(const swapmq::SwitchStatus& status) {
  std::ostringstream out;
  out << "ok " << to_string(status.phase) << ' ' << status.number << ' ' << status.config_refused
      << ' ' << status.crossed;
  for (const swapmq::BackendStatus& one : status.backends) {
    std::uint64_t left = 0;
    for (const auto& [queue, count] : one.left) left += count;
    out << ' ' << one.name << ' '
        << (one.active ? "active"
            : one.owed ? "owed"
                       : "watched")
        << ' ' << one.in_flight << ' ' << one.ready << ' ' << one.unacked << ' ' << one.delayed
        << ' ' << left << ' ' << one.moved << ' ' << to_string(one.error.code());
  }
  return out.str();
}

/// -1 where the backend does not say.
std::int64_t known(std::uint64_t count, swapmq::Precision precision) {
  return precision == swapmq::Precision::unknown ? -1 : static_cast<std::int64_t>(count);
}

class Host {
 public:
  Host(const char* config, const char* socket)
      : mq_(MessageQueue::try_open(config).value()), front_(mq_, socket) {}

  std::string obey(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    const auto found = verbs_.find(verb);
    return found != verbs_.end() ? found->second(words) : "error there is no such command";
  }

 private:
  using Words = std::istringstream;

  // ---- switching ----

  /// switch TYPE [drain|transfer|leave] [strict [hold]]
  std::string switch_to(Words& words) {
    std::string type;
    std::string policy;
    std::string order;
    std::string hold;
    words >> type >> policy >> order >> hold;
    swapmq::SwitchOptions options{.allow_capability_loss = true};
    if (policy == "transfer") options.policy = swapmq::BacklogPolicy::transfer;
    if (policy == "leave") options.policy = swapmq::BacklogPolicy::leave;
    options.hold_publishes = hold == "hold";
    if (order == "strict") options.order = swapmq::SwitchOrder::strict;
    return answer(mq_.switch_to(type, options).error());
  }
  std::string forget(Words& words) {
    std::string backend;
    std::string how;
    words >> backend >> how;
    return answer(mq_.forget(backend, how == "give_up"));
  }
  std::string reload(Words& words) {
    std::string path;
    words >> path;
    return answer(mq_.reload(path).error());
  }
  std::string stats(Words& words) {
    std::string queue;
    words >> queue;
    const auto stats = mq_.stats(queue, 5s);
    if (!stats) return answer(stats.error());
    std::ostringstream out;
    out << "ok " << known(stats->ready, stats->ready_precision) << ' '
        << known(stats->unacked, stats->unacked_precision) << ' '
        << known(stats->delayed, stats->delayed_precision);
    return out.str();
  }
  /// How many deliveries were lost with their connection and how many publishes tried again: so
  /// many may come twice.
  std::string may_be_twice() {
    double sum = 0;
    for (const swapmq::Metric& metric : mq_.metrics()) {
      bool lost = false;
      for (const auto& label : metric.labels) lost = lost || label.second == "lost";
      if ((metric.name == "swapmq_settled_total" && lost) ||
          metric.name == "swapmq_publish_retries_total") {
        sum += metric.value;
      }
    }
    return "ok " + std::to_string(static_cast<std::uint64_t>(sum));
  }

  // ---- places ----

  static std::set<std::string> prefixes(Words& words) {
    std::set<std::string> prefixes;
    for (std::string prefix; std::getline(words, prefix, ',');) prefixes.insert(prefix);
    return prefixes;
  }
  /// kill N PREFIX[,PREFIX...]
  static std::string kill_at(Words& words) {
    std::uint64_t n = 0;
    words >> n >> std::ws;
    Places::all().kill_at(n, prefixes(words));
    return "ok";
  }
  /// pause N PREFIX[,PREFIX...]
  static std::string pause_at(Words& words) {
    std::uint64_t n = 0;
    words >> n >> std::ws;
    Places::all().pause_at(n, prefixes(words));
    return "ok";
  }

  const std::map<std::string, std::function<std::string(Words&)>> verbs_{
      {"switch", [this](Words& words) { return switch_to(words); }},
      {"status", [this](Words&) { return text(mq_.switch_status()); }},
      {"why", [this](Words&) { return "ok " + mq_.switch_status().error.message(); }},
      {"roll_back", [this](Words&) { return answer(mq_.roll_back().error()); }},
      {"forget", [this](Words& words) { return forget(words); }},
      {"reload", [this](Words& words) { return reload(words); }},
      {"backend", [this](Words&) { return "ok " + mq_.backend_name(); }},
      {"stats", [this](Words& words) { return stats(words); }},
      {"may_be_twice", [this](Words&) { return may_be_twice(); }},
      {"close", [this](Words&) { return answer(mq_.close(20s)); }},
      {"kill", kill_at},
      {"pause", pause_at},
      {"paused", [](Words&) { return Places::all().paused() ? "ok yes" : "ok no"; }},
      {"resume", [](Words&) { return Places::all().resume(), "ok"; }},
  };

  MessageQueue mq_;
  Front front_;
};

} // namespace

int main(int argc, char** argv) try {
  if (argc != 3 && argc != 4) {
    std::fprintf(stderr, "usage: scenario_host CONFIG SOCKET [PLACE]\n");
    return 2;
  }
  if (argc == 4) Places::all().kill_at_place(std::strtoull(argv[3], nullptr, 10));
  swapmq::Failpoints::watch(Places::reached);
  Host host(argv[1], argv[2]);
  std::cout << "ok" << std::endl;
  for (std::string line; std::getline(std::cin, line) && line != "end";) {
    std::cout << host.obey(line) << std::endl;
  }
  return 0;
} catch (const std::exception& problem) {
  std::cout << "error " << problem.what() << std::endl;
  return 1;
}
