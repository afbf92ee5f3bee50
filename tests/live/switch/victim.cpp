// SPDX-License-Identifier: MIT
//
// switch_victim: a host that publishes and consumes and switches, and kills itself (SIGKILL) at the
// Nth place where a test may stop it. Each id is noted in a file before and after it counts:
//   try ID    about to be published          ok ID     confirmed
//   got ID    with a handler                 ack ID    the broker has the ack
//   moved ID  as got, and it was moved from the other backend
// usage: switch_victim CONFIG IDS PREFIX TO PLACE POLICY   publishes, switches to TO; PLACE 0:
// never
//        switch_victim CONFIG IDS    consumes until all came that was confirmed and had not come
// Exit code 0: done; 1: it took too long.
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "failpoint.h"
#include "notes.hpp"
#include "swapmq/swapmq.hpp"

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;
using swapmq::Delivery;
using swapmq::Message;
using swapmq::MessageQueue;
using switch_test::Notes;

constexpr auto patience = 20s;
constexpr int publishers = 2;
constexpr int before_switch = 50; // messages of each publisher
constexpr int at_the_end = 50;    // after it is retired

std::atomic<std::size_t> kill_at{0};

/// A place of the journal counts anew after each step of the switch, another one only once.
void count_places(const char* place) {
  static std::mutex mutex;
  static std::set<std::string> places;
  thread_local std::string step;
  const std::string_view name(place);
  const bool of_journal = name.starts_with("journal") || name.starts_with("file");
  const std::lock_guard lock(mutex);
  if (!of_journal) step = name;
  const bool first = places.insert(of_journal ? step + ", " + place : step).second;
  if (first && places.size() == kill_at) ::kill(::getpid(), SIGKILL);
}

template <class Condition>
bool eventually(Condition condition) {
  const auto until = steady_clock::now() + patience;
  while (!condition()) {
    if (steady_clock::now() > until) return false;
    std::this_thread::sleep_for(1ms);
  }
  return true;
}

class Victim {
 public:
  Victim(const char* config, const char* ids)
      : notes_(ids), mq_(MessageQueue::try_open(config).value()) {}

  bool switch_over(const std::string& prefix, const std::string& to, const std::string& policy) {
    // Behind what is delayed and what a handler holds, so that all of that is there when it counts.
    const Message later{.body = "later", .id = prefix + "-later", .delay = 500ms};
    publish(later);
    std::vector<std::thread> threads;
    for (int p = 0; p < publishers; ++p) {
      threads.emplace_back([this, p, &prefix] { publish_on(prefix + "-" + std::to_string(p)); });
    }
    auto consumer = consume();
    bool done = eventually([this] { return published_ >= publishers * before_switch; });
    if (policy == "transfer") { // a dead letter, which nobody takes but who moves it
      publish({.body = "bad", .id = prefix + "-bad"});
      done = eventually([this] { return mq_.size("tasks.dead").value() > 0; }) && done;
    }
    swapmq::SwitchOptions options{.allow_capability_loss = true};
    if (policy == "transfer") options.policy = swapmq::BacklogPolicy::transfer;
    const auto error = mq_.switch_to(to, options).error();
    if (error) std::fprintf(stderr, "%s\n", error.message().c_str());
    const auto status = mq_.wait_for_switch(patience);
    done = done && !error && status.phase == swapmq::SwitchPhase::retired;
    if (!done) std::fprintf(stderr, "%s\n", status.error.message().c_str());
    stop_at_ = published_ + at_the_end;
    for (auto& thread : threads) thread.join();
    done = eventually([this] { return handled_ >= published_; }) && done;
    return !consumer->close() && done;
  }

  bool take(const std::set<std::string>& wanted) {
    auto consumer = consume();
    const bool done = eventually([&] {
      const std::lock_guard lock(mutex_);
      return std::includes(seen_.begin(), seen_.end(), wanted.begin(), wanted.end());
    });
    std::this_thread::sleep_for(200ms); // what else there is comes twice
    return !consumer->close() && done;
  }

 private:
  void publish(const Message& message) {
    notes_.note("try", message.id);
    if (!mq_.publish("tasks", message)) return;
    notes_.note("ok", message.id);
    ++published_;
  }
  void publish_on(const std::string& prefix) {
    for (int n = 0; published_ < stop_at_; ++n) {
      const std::string id = prefix + "-" + std::to_string(n);
      // Something always lies where publishes go, so that a kill finds it there.
      publish({.body = "work", .id = id, .delay = n % 5 == 0 ? 300ms : 0ms});
    }
  }
  swapmq::Result<swapmq::Consumer> consume() {
    return mq_.consume("tasks", {.prefetch = 16, .concurrency = 4}, [this](const Delivery& d) {
      const std::string id(d.id());
      notes_.note(d.header("swapmq-moved-from") ? "moved" : "got", id);
      d.body() == "bad" ? d.reject("bad") : d.ack();
      if (!d.wait_settled(5s)) notes_.note("ack", id);
      ++handled_;
      const std::lock_guard lock(mutex_);
      seen_.insert(id);
      return swapmq::keep();
    });
  }
  const Notes notes_;
  MessageQueue mq_;
  std::atomic<int> published_{0}, handled_{0};
  std::atomic<int> stop_at_{1'000'000};
  std::mutex mutex_;
  std::set<std::string> seen_;
};

/// What was confirmed and has not come.
std::set<std::string> missing(const char* ids) {
  std::set<std::string> missing;
  std::set<std::string> got;
  std::ifstream file(ids);
  for (std::string what, id; file >> what >> id;) {
    if (what == "ok") missing.insert(id);
    if (what == "got" || what == "moved") got.insert(id);
  }
  for (const std::string& id : got) missing.erase(id);
  return missing;
}

int run(int argc, char** argv) {
  if (argc == 7) {
    kill_at = std::strtoul(argv[5], nullptr, 10);
    if (kill_at > 0) swapmq::Failpoints::watch(count_places);
    Victim victim(argv[1], argv[2]);
    return victim.switch_over(argv[3], argv[4], argv[6]) ? 0 : 1;
  }
  if (argc == 3) {
    const auto wanted = missing(argv[2]);
    Victim successor(argv[1], argv[2]);
    return successor.take(wanted) ? 0 : 1;
  }
  std::fprintf(stderr, "usage: switch_victim CONFIG IDS [PREFIX TO PLACE POLICY]\n");
  return 2;
}

} // namespace

int main(int argc, char** argv) try {
  return run(argc, argv);
} catch (const swapmq::Exception& problem) {
  std::fprintf(stderr, "%s\n", problem.what());
  return 1;
}
