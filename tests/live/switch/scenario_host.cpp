// SPDX-License-Identifier: MIT
//
// scenario_host: a host that does what a test tells it, one line of its input at a time, and
// answers each with one line: "ok ..." or "error ...". Whatever happens to a message is noted in a
// file, before and after each call that counts:
//   try ID     about to be published    ok, fail, doubt ID    how that ended
//   held ID    with a handler, which keeps it    nacked, dead, redriven ID    by a handler
//   got ID     handled                           ack ID    the broker has the ack
//   moved ID   handled, once for each move between backends    early ID    before it was due
// usage: scenario_host CONFIG NOTES
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <iostream>
#include <iterator>
#include <map>
#include <mutex>
#include <semaphore>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "failpoint.h"
#include "notes.hpp"
#include "swapmq/swapmq.hpp"

namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

using swapmq::Delivery;
using swapmq::Error;
using swapmq::Message;
using swapmq::MessageQueue;
using switch_test::Notes;

constexpr std::ptrdiff_t window_size = 16;

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

 private:
  void reach(std::string_view place) {
    std::unique_lock lock(mutex_);
    if (is_any_of(deadly_, place) && --kill_at_ == 0) ::kill(::getpid(), SIGKILL);
    if (paused_ || !is_any_of(pausing_, place) || --pause_at_ != 0) return;
    paused_ = true;
    changed_.wait(lock, [this] { return !paused_; });
  }

  static bool is_any_of(const std::set<std::string>& prefixes, std::string_view place) {
    return std::any_of(prefixes.begin(), prefixes.end(),
                       [&](const std::string& prefix) { return place.starts_with(prefix); });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t kill_at_ = 0, pause_at_ = 0;
  std::set<std::string> deadly_, pausing_;
  bool paused_ = false;
};

std::string answer(const Error& error) {
  if (!error) return "ok";
  return "error " + std::string(to_string(error.code())) + " " + error.message();
}

std::string text(const swapmq::SwitchStatus& status) {
  std::ostringstream out;
  out << "ok " << to_string(status.phase) << ' ' << status.number << ' ' << status.config_refused;
  for (const swapmq::BackendStatus& one : status.backends) {
    std::uint64_t left = 0;
    for (const auto& [queue, count] : one.left) left += count;
    out << ' ' << one.name << ' '
        << (one.active ? "active"
            : one.owed ? "owed"
                       : "watched")
        << ' ' << one.in_flight << ' ' << one.ready << ' ' << one.unacked << ' ' << one.delayed
        << ' ' << left << ' ' << to_string(one.error.code());
  }
  return out.str();
}

class Host {
 public:
  Host(const char* config, const char* notes)
      : notes_(notes), mq_(MessageQueue::try_open(config).value()) {}
  ~Host() {
    halt();
    {
      const std::lock_guard lock(mutex_);
      ending_ = true;
      changed_.notify_one();
    }
    noter_.join();
  }
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  std::string obey(const std::string& line) {
    std::istringstream words(line);
    std::string verb;
    words >> verb;
    const auto found = verbs_.find(verb);
    return found != verbs_.end() ? found->second(words) : "error there is no such command";
  }

 private:
  using Words = std::istringstream;

  // ---- publishing ----

  /// publish QUEUE PREFIX COUNT DELAY_MS; COUNT 0: until `halt`. Answers at once.
  std::string publish(Words& words) {
    std::string queue;
    std::string prefix;
    std::uint64_t count = 0;
    std::int64_t delay = 0;
    words >> queue >> prefix >> count >> delay;
    publishers_.emplace_back([this, queue, prefix, count, delay] {
      for (std::uint64_t n = 0; count > 0 ? n < count : !halted_; ++n) {
        const std::string id = prefix + "-" + std::to_string(n);
        // What was put off says until when.
        const std::string body = delay > 0 ? std::to_string(wall_clock_ms() + delay) : "work";
        publish_one(queue, {.body = body, .id = id, .delay = milliseconds(delay)});
        if (count == 0) std::this_thread::sleep_for(pace_);
      }
    });
    return "ok";
  }
  static std::int64_t wall_clock_ms() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<milliseconds>(now).count();
  }
  void publish_one(const std::string& queue, const Message& message) {
    notes_.note("try", message.id);
    note(mq_.publish(queue, message));
  }
  void note(const swapmq::Sent& sent) {
    const bool failed = sent.outcome() == swapmq::Outcome::failed;
    notes_.note(sent ? "ok" : failed ? "fail" : "doubt", sent.id());
    ++published_;
  }
  /// window QUEUE PREFIX COUNT: as publish, but with 16 on their way at a time.
  std::string window(Words& words) {
    std::string queue;
    std::string prefix;
    std::uint64_t count = 0;
    words >> queue >> prefix >> count;
    publishers_.emplace_back([this, queue, prefix, count] {
      for (std::uint64_t n = 0; n < count; ++n) {
        room_.acquire();
        const std::string id = prefix + "-" + std::to_string(n);
        notes_.note("try", id);
        mq_.publish_async(queue, {.body = "work", .id = id}, [this](const swapmq::Sent& sent) {
          note(sent);
          room_.release();
        });
      }
      for (std::ptrdiff_t left = window_size; left > 0; --left) room_.acquire();
      room_.release(window_size);
    });
    return "ok";
  }
  /// Awaits what is under way.
  std::string halt() {
    halted_ = true;
    for (auto& thread : publishers_) thread.join();
    publishers_.clear();
    halted_ = false;
    return "ok " + std::to_string(published_);
  }

  // ---- consuming ----

  /// consume QUEUE MODE PREFETCH CONCURRENCY [WORD]; MODE: ack; take, as ack but the broker's word
  /// is not awaited; hold, until `settle`; nack, the first delivery, for WORD ms; reject; redrive,
  /// published to the queue WORD and acked.
  std::string consume(Words& words) {
    std::string queue;
    std::string mode;
    std::string word;
    std::uint32_t prefetch = 0;
    std::uint32_t concurrency = 0;
    words >> queue >> mode >> prefetch >> concurrency >> word;
    auto consumer = mq_.consume(
        queue, {.prefetch = prefetch, .concurrency = concurrency},
        [this, mode, word](const Delivery& delivery) { return handle(delivery, mode, word); });
    if (!consumer) return answer(consumer.error());
    consumers_.insert_or_assign(queue, std::move(*consumer));
    return "ok";
  }
  swapmq::Decision handle(const Delivery& delivery, const std::string& mode,
                          const std::string& word) {
    const std::string id(delivery.id());
    if (mode == "hold" && !is_open(delivery.queue())) {
      notes_.note("held", id);
      const std::lock_guard lock(mutex_);
      held_[std::string(delivery.queue())].push_back(delivery);
      return swapmq::keep();
    }
    if (mode == "nack" && delivery.delivery_count() == 1) {
      notes_.note("nacked", id);
      return swapmq::nack(milliseconds(std::stol(word)));
    }
    if (mode == "reject") {
      notes_.note("dead", id);
      return swapmq::reject("by the scenario");
    }
    if (mode == "redrive") {
      if (!mq_.publish(word, {.body = delivery.body(), .id = id})) return swapmq::release();
      notes_.note("redriven", id);
      return swapmq::ack();
    }
    notes_.note("got", id);
    note_what_it_went_through(delivery);
    ++handled_;
    if (mode == "take") return swapmq::ack();
    acknowledge(delivery);
    return swapmq::keep();
  }
  bool is_open(std::string_view queue) {
    const std::lock_guard lock(mutex_);
    return open_.contains(std::string(queue));
  }
  void note_what_it_went_through(const Delivery& delivery) {
    if (const auto trail = delivery.header("swapmq-moved-from")) {
      const auto stops = 1 + std::count(trail->begin(), trail->end(), ',');
      for (auto stop = stops; stop > 0; --stop) notes_.note("moved", delivery.id());
    }
    const bool put_off = delivery.body() != "work";
    if (put_off && std::stoll(std::string(delivery.body())) > wall_clock_ms()) {
      notes_.note("early", delivery.id());
    }
  }
  void acknowledge(const Delivery& delivery) {
    delivery.ack();
    const std::lock_guard lock(mutex_);
    acked_.push_back(delivery);
    changed_.notify_one();
  }
  /// A thread's: the broker's word on each ack, which no handler waits for.
  void note_acks() {
    for (;;) {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ending_ || !acked_.empty(); });
      if (acked_.empty()) return;
      const Delivery delivery = std::move(acked_.front());
      acked_.pop_front();
      lock.unlock();
      if (!delivery.wait_settled(5s)) notes_.note("ack", delivery.id());
    }
  }
  /// open QUEUE: what is held is acked, and what comes as well.
  std::string open(Words& words) {
    std::string queue;
    words >> queue;
    {
      const std::lock_guard lock(mutex_);
      open_.insert(queue);
    }
    std::istringstream how(queue + " ack");
    return settle(how);
  }
  /// settle QUEUE ack|reject|release [MOST]: what is held, or the first so many of it.
  std::string settle(Words& words) {
    std::string queue;
    std::string how;
    std::size_t most = 0;
    words >> queue >> how;
    if (!(words >> most)) most = SIZE_MAX;
    std::vector<Delivery> deliveries;
    {
      const std::lock_guard lock(mutex_);
      std::vector<Delivery>& held = held_[queue];
      const auto end = held.begin() + static_cast<std::ptrdiff_t>(std::min(most, held.size()));
      deliveries.assign(held.begin(), end);
      held.erase(held.begin(), end);
    }
    for (const Delivery& delivery : deliveries) {
      if (how == "release") {
        delivery.release();
      } else if (how == "reject") {
        notes_.note("dead", delivery.id());
        delivery.reject();
      } else {
        notes_.note("got", delivery.id());
        acknowledge(delivery);
      }
    }
    return "ok " + std::to_string(deliveries.size());
  }
  /// leave QUEUE: no longer consumes from it.
  std::string leave(Words& words) {
    std::string queue;
    words >> queue;
    const auto found = consumers_.find(queue);
    if (found == consumers_.end()) return "error nothing consumes from it";
    const Error error = found->second.close(10s);
    consumers_.erase(found);
    return answer(error);
  }

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
    return "ok " + std::to_string(stats->ready) + " " + std::to_string(stats->unacked) + " " +
           std::to_string(stats->delayed);
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
  std::string counts() {
    return "ok " + std::to_string(published_) + " " + std::to_string(handled_);
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
      {"publish", [this](Words& words) { return publish(words); }},
      {"window", [this](Words& words) { return window(words); }},
      {"halt", [this](Words&) { return halt(); }},
      {"pace", [this](Words& words) { return set_pace(words); }},
      {"consume", [this](Words& words) { return consume(words); }},
      {"open", [this](Words& words) { return open(words); }},
      {"settle", [this](Words& words) { return settle(words); }},
      {"leave", [this](Words& words) { return leave(words); }},
      {"switch", [this](Words& words) { return switch_to(words); }},
      {"status", [this](Words&) { return text(mq_.switch_status()); }},
      {"roll_back", [this](Words&) { return answer(mq_.roll_back().error()); }},
      {"forget", [this](Words& words) { return forget(words); }},
      {"reload", [this](Words& words) { return reload(words); }},
      {"backend", [this](Words&) { return "ok " + mq_.backend_name(); }},
      {"stats", [this](Words& words) { return stats(words); }},
      {"counts", [this](Words&) { return counts(); }},
      {"may_be_twice", [this](Words&) { return may_be_twice(); }},
      {"close", [this](Words&) { return answer(mq_.close(20s)); }},
      {"kill", kill_at},
      {"pause", pause_at},
      {"paused", [](Words&) { return Places::all().paused() ? "ok yes" : "ok no"; }},
      {"resume", [](Words&) { return Places::all().resume(), "ok"; }},
  };

  std::string set_pace(Words& words) {
    std::int64_t microseconds = 0;
    words >> microseconds;
    pace_ = std::chrono::microseconds(microseconds);
    return "ok";
  }

  const Notes notes_;
  std::mutex mutex_; // of those that follow
  std::condition_variable changed_;
  std::map<std::string, std::vector<Delivery>> held_;
  std::deque<Delivery> acked_; ///< and not known to be
  std::set<std::string> open_;
  bool ending_ = false;

  std::counting_semaphore<window_size> room_{window_size};
  std::atomic<bool> halted_{false};
  std::atomic<std::uint64_t> published_{0}, handled_{0};
  std::chrono::microseconds pace_{1000}; ///< between two publishes without end
  MessageQueue mq_;
  std::map<std::string, swapmq::Consumer> consumers_;
  std::vector<std::thread> publishers_;
  std::thread noter_{[this] { note_acks(); }};
};

} // namespace

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::fprintf(stderr, "usage: scenario_host CONFIG NOTES\n");
    return 2;
  }
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
