// SPDX-License-Identifier: MIT
//
// recorder: a program that publishes and consumes through a host, by its Front, and keeps the
// books: whatever happens to a message is noted in a file, before and after each call that counts,
// outside of the process that may lose it.
//   try ID     about to be published    ok, fail, doubt ID    how that ended
//   held ID    kept for later    nacked, dead, redriven ID    so settled
//   got ID     handled                           ack ID    the broker has the ack
//   moved ID   handled, once for each move between backends    early ID    before it was due
// It does what a test tells it, one line of its input at a time, and answers each with one line:
// "ok ..." or "error ...". Once the host is gone it ends, with 3.
// usage: recorder SOCKET NOTES
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <semaphore>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "line_socket.hpp"
#include "notes.hpp"

namespace switch_test {
namespace {

using std::chrono::duration_cast;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using Words = std::istringstream;

constexpr std::ptrdiff_t window_size = 16;

std::int64_t wall_clock_ms() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return duration_cast<milliseconds>(now).count();
}

/// The host is gone: nothing more can be known.
[[noreturn]] void end_with_the_host() { std::_Exit(3); }

/// A connection to the host.
class Link {
 public:
  Link(const std::string& path, const std::string& purpose) : socket_(LineSocket::connect(path)) {
    tell(purpose);
  }
  void tell(const std::string& line) {
    if (!socket_.write_line(line)) end_with_the_host();
  }
  std::string hear() {
    auto line = socket_.read_line();
    if (!line) end_with_the_host();
    return std::move(*line);
  }
  std::string ask(const std::string& line) {
    tell(line);
    return hear();
  }

 private:
  LineSocket socket_;
};

// ---- publishing ---------------------------------------------------------------------------------

/// All publishers, each with a connection of its own.
class Publishing {
 public:
  Publishing(std::string path, const Notes& notes) : path_(std::move(path)), notes_(notes) {}
  ~Publishing() { halt(); }
  Publishing(const Publishing&) = delete;
  Publishing& operator=(const Publishing&) = delete;

  /// publish QUEUE PREFIX COUNT DELAY_MS [SIZE [BODY]]; COUNT 0: until `halt`; SIZE: so many at a
  /// time. Answers at once.
  std::string publish(Words& words) {
    Work work;
    words >> work.queue >> work.prefix >> work.count >> work.delay_ms;
    if (words >> work.size) words >> work.body;
    threads_.emplace_back([this, work] { publish_all(work); });
    return "ok";
  }
  /// window QUEUE PREFIX COUNT: as publish, but with 16 on their way at a time.
  std::string window(Words& words) {
    Work work;
    words >> work.queue >> work.prefix >> work.count;
    threads_.emplace_back([this, work] { publish_in_a_window(work); });
    return "ok";
  }
  std::string set_pace(Words& words) {
    std::int64_t microseconds = 0;
    words >> microseconds;
    pace_ = std::chrono::microseconds(microseconds);
    return "ok";
  }
  /// Awaits what is under way.
  std::string halt() {
    halted_ = true;
    for (auto& thread : threads_) thread.join();
    threads_.clear();
    halted_ = false;
    return "ok " + std::to_string(published_);
  }
  [[nodiscard]] std::uint64_t published() const { return published_; }
  /// Between two answers that one publisher got.
  [[nodiscard]] milliseconds longest_gap() const { return milliseconds(longest_gap_ms_); }

 private:
  struct Work {
    std::string queue, prefix, body{};
    std::uint64_t count = 0, size = 1;
    std::int64_t delay_ms = 0;
  };

  void publish_all(const Work& work) {
    Link link(path_, "publish " + work.queue);
    auto last = steady_clock::now();
    for (std::uint64_t n = 0; work.count > 0 ? n < work.count : !halted_;) {
      const std::uint64_t left = work.count > 0 ? work.count - n : work.size;
      std::vector<std::string> ids;
      for (std::uint64_t of = std::min(work.size, left); of > 0; --of) {
        ids.push_back(work.prefix + "-" + std::to_string(n++));
      }
      publish_these(link, work, ids);
      note_gap(steady_clock::now() - std::exchange(last, steady_clock::now()));
      if (work.count == 0) std::this_thread::sleep_for(pace_);
    }
  }
  void publish_these(Link& link, const Work& work, const std::vector<std::string>& ids) {
    std::string line = line_of(work);
    for (const std::string& id : ids) {
      notes_.note("try", id);
      line += " " + id;
    }
    Words words(link.ask(line));
    for (const std::string& id : ids) {
      std::string word;
      words >> word;
      note(id, word);
    }
  }
  /// What was put off says until when, unless it says something else.
  static std::string line_of(const Work& work) {
    const std::string until =
        work.delay_ms > 0 ? std::to_string(wall_clock_ms() + work.delay_ms) : "work";
    return std::to_string(work.delay_ms) + " " + (work.body.empty() ? until : work.body);
  }
  void publish_in_a_window(const Work& work) {
    Link link(path_, "window " + work.queue);
    std::counting_semaphore<window_size> room{window_size};
    std::thread listener([&] {
      for (std::uint64_t n = 0; n < work.count; ++n) {
        Words words(link.hear());
        std::string id;
        std::string word;
        words >> id >> word;
        note(id, word);
        room.release();
      }
    });
    for (std::uint64_t n = 0; n < work.count; ++n) {
      room.acquire();
      const std::string id = work.prefix + "-" + std::to_string(n);
      notes_.note("try", id);
      link.tell(line_of(work) + " " + id);
    }
    listener.join();
  }
  void note(const std::string& id, const std::string& word) {
    notes_.note(word.c_str(), id);
    ++published_;
  }
  void note_gap(steady_clock::duration gap) {
    const std::int64_t ms = duration_cast<milliseconds>(gap).count();
    for (std::int64_t longest = longest_gap_ms_; longest < ms;) {
      if (longest_gap_ms_.compare_exchange_weak(longest, ms)) return;
    }
  }

  const std::string path_;
  const Notes& notes_;
  std::atomic<bool> halted_{false};
  std::atomic<std::uint64_t> published_{0};
  std::atomic<std::int64_t> longest_gap_ms_{0};
  std::chrono::microseconds pace_{1000}; ///< the rate of what is published without end
  std::vector<std::thread> threads_;
};

// ---- consuming ----------------------------------------------------------------------------------

/// One queue that is consumed.
class Consuming {
 public:
  struct How {
    std::string queue, mode, word{};
    std::string prefetch{}, concurrency{};
  };
  /// Throws what the host says against it.
  Consuming(const std::string& path, const Notes& notes, How how)
      : notes_(notes),
        how_(std::move(how)),
        link_(path, "consume " + how_.queue + " " + how_.prefetch + " " + how_.concurrency) {
    if (how_.mode == "redrive") other_.emplace(path, "publish " + how_.word);
    if (const std::string said = link_.hear(); said != "ok") throw std::runtime_error(said);
    holding_ = how_.mode == "hold";
    listener_ = std::thread([this] { listen(); });
  }
  ~Consuming() { leave(); }
  Consuming(const Consuming&) = delete;
  Consuming& operator=(const Consuming&) = delete;

  [[nodiscard]] std::uint64_t handled() const { return handled_; }

  void hold() {
    const std::lock_guard lock(mutex_);
    holding_ = true;
  }
  std::string open() {
    {
      const std::lock_guard lock(mutex_);
      holding_ = false;
    }
    return settle("ack", SIZE_MAX);
  }
  std::string settle(const std::string& how, std::size_t most) {
    const std::lock_guard lock(mutex_);
    const auto end = held_.begin() + static_cast<std::ptrdiff_t>(std::min(most, held_.size()));
    const auto count = end - held_.begin();
    for (auto one = held_.begin(); one != end; ++one) settle(*one, how);
    held_.erase(held_.begin(), end);
    return "ok " + std::to_string(count);
  }
  std::string leave() {
    if (!listener_.joinable()) return "ok";
    link_.tell("close");
    listener_.join();
    return closed_;
  }

 private:
  struct Came {
    std::string number, id, body;
    int count = 0, moves = 0;
  };

  void listen() {
    for (;;) {
      Words words(link_.hear());
      std::string what;
      words >> what;
      if (what == "closed") {
        std::getline(words >> std::ws, closed_);
        return;
      }
      const std::lock_guard lock(mutex_);
      if (what == "s") {
        note_ack(words);
        continue;
      }
      Came came;
      words >> came.number >> came.id >> came.count >> came.moves >> came.body;
      handle(came);
    }
  }
  void note_ack(Words& words) {
    std::string number;
    words >> number;
    const auto found = acked_.find(number);
    notes_.note("ack", found->second);
    acked_.erase(found);
  }
  /// What to do with it, by the mode: ack, but what is poisonous is rejected; take, whatever it is,
  /// and the broker's word is not awaited; hold, until `settle`; nack, the first delivery, for WORD
  /// ms; reject; redrive, published to the queue WORD and acked.
  void handle(const Came& came) {
    if (holding_) {
      notes_.note("held", came.id);
      held_.push_back(came);
    } else if (how_.mode == "nack" && came.count == 1) {
      notes_.note("nacked", came.id);
      link_.tell("nack " + came.number + " " + how_.word);
    } else if (how_.mode == "reject" || (how_.mode == "ack" && came.body == "poison")) {
      settle(came, "reject");
    } else if (how_.mode == "redrive") {
      const bool sent = other_->ask("0 " + came.body + " " + came.id) == "ok";
      if (sent) notes_.note("redriven", came.id);
      link_.tell((sent ? "take " : "release ") + came.number);
    } else {
      settle(came, how_.mode == "take" ? "take" : "ack");
    }
  }
  void settle(const Came& came, const std::string& how) {
    if (how == "reject") notes_.note("dead", came.id);
    if (how == "ack" || how == "take") {
      notes_.note("got", came.id);
      note_what_it_went_through(came);
      ++handled_;
    }
    if (how == "ack") acked_.emplace(came.number, came.id);
    link_.tell(how + " " + came.number);
  }
  void note_what_it_went_through(const Came& came) {
    for (int n = 0; n < came.moves; ++n) notes_.note("moved", came.id);
    const bool put_off = came.body.find_first_not_of("0123456789") == std::string::npos;
    if (put_off && std::stoll(came.body) > wall_clock_ms()) notes_.note("early", came.id);
  }

  const Notes& notes_;
  const How how_;
  Link link_;
  std::optional<Link> other_; // what is redriven is published by
  std::atomic<std::uint64_t> handled_{0};
  std::mutex mutex_; // of those that follow
  bool holding_ = false;
  std::vector<Came> held_;
  std::map<std::string, std::string> acked_; ///< and not known to be: ids by numbers
  std::string closed_;                       // the listener's, then whoever joined it
  std::thread listener_;
};

// ---- what it is told ----------------------------------------------------------------------------

class Recorder {
 public:
  Recorder(const char* path, const char* notes)
      : path_(path), notes_(notes), publishing_(path, notes_) {}

  std::string obey(const std::string& line) {
    Words words(line);
    std::string verb;
    words >> verb;
    const auto found = verbs_.find(verb);
    return found != verbs_.end() ? found->second(words) : "error there is no such command";
  }

 private:
  /// consume QUEUE MODE PREFETCH CONCURRENCY [WORD]
  std::string consume(Words& words) try {
    Consuming::How how;
    words >> how.queue >> how.mode >> how.prefetch >> how.concurrency >> how.word;
    const std::string queue = how.queue;
    consuming_[queue] = std::make_unique<Consuming>(path_, notes_, std::move(how));
    return "ok";
  } catch (const std::runtime_error& refused) {
    return refused.what();
  }
  Consuming& consuming(Words& words) {
    std::string queue;
    words >> queue;
    return *consuming_.at(queue);
  }
  /// settle QUEUE ack|reject|release [MOST]: what is held, or the first so many of it.
  std::string settle(Words& words) {
    Consuming& one = consuming(words);
    std::string how;
    std::size_t most = 0;
    words >> how;
    if (!(words >> most)) most = SIZE_MAX;
    return one.settle(how, most);
  }
  std::string hold(Words& words) {
    consuming(words).hold();
    return "ok";
  }
  /// leave QUEUE: no longer consumes from it.
  std::string leave(Words& words) {
    std::string queue;
    words >> queue;
    const auto found = consuming_.find(queue);
    if (found == consuming_.end()) return "error nothing consumes from it";
    std::string said = found->second->leave();
    handled_before_ += found->second->handled();
    consuming_.erase(found);
    return said;
  }
  std::string counts() {
    std::uint64_t handled = handled_before_;
    for (const auto& [queue, one] : consuming_) handled += one->handled();
    return "ok " + std::to_string(publishing_.published()) + " " + std::to_string(handled);
  }

  const std::map<std::string, std::function<std::string(Words&)>> verbs_{
      {"publish", [this](Words& words) { return publishing_.publish(words); }},
      {"window", [this](Words& words) { return publishing_.window(words); }},
      {"pace", [this](Words& words) { return publishing_.set_pace(words); }},
      {"halt", [this](Words&) { return publishing_.halt(); }},
      {"longest_gap",
       [this](Words&) { return "ok " + std::to_string(publishing_.longest_gap().count()); }},
      {"consume", [this](Words& words) { return consume(words); }},
      {"hold", [this](Words& words) { return hold(words); }},             // what comes from now on
      {"open", [this](Words& words) { return consuming(words).open(); }}, // the contrary
      {"settle", [this](Words& words) { return settle(words); }},
      {"leave", [this](Words& words) { return leave(words); }},
      {"counts", [this](Words&) { return counts(); }},
  };

  const std::string path_;
  const Notes notes_;
  Publishing publishing_;
  std::map<std::string, std::unique_ptr<Consuming>> consuming_;
  std::uint64_t handled_before_ = 0; // by those that were left
};

int run(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: recorder SOCKET NOTES\n");
    return 2;
  }
  Recorder recorder(argv[1], argv[2]);
  std::cout << "ok" << std::endl;
  for (std::string line; std::getline(std::cin, line) && line != "end";) {
    std::cout << recorder.obey(line) << std::endl;
  }
  return 0;
}

} // namespace
} // namespace switch_test

int main(int argc, char** argv) { return switch_test::run(argc, argv); }
