// SPDX-License-Identifier: MIT
//
// switch_pauses: what publishers notice of a switch. 8 of them publish one message at a time, at
// half the rate that the slower of the two backends sustains; how long they wait is compared with
// how long they wait on each of the two alone, in between.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "../support/temp_folder.hpp"
#include "swapmq/swapmq.hpp"

namespace switch_test {
namespace {

using namespace std::chrono_literals;
using std::chrono::duration_cast;
using std::chrono::microseconds;
using std::chrono::steady_clock;
using swapmq::MessageQueue;
using Time = steady_clock::time_point;

constexpr std::size_t publishers = 8;
// A bad moment of the machine is none of the switch's: if the first rounds say that the bounds are
// passed, as many more follow, of which all count.
constexpr std::size_t rounds = 3, most_rounds = 9;
constexpr auto warm_up = 100ms;
constexpr auto measured_alone = 400ms;
constexpr auto measured_switching = 800ms; // from when it is asked for
constexpr double allowed_gap_ms = 50;
constexpr double allowed_p99 = 2;
constexpr double noise_ms = 1; // what a thread may wait for its turn on a core

std::string from_environment(const char* name) {
  const char* value = ::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set");
  return value;
}

/// What publishers saw between two moments.
struct Waits {
  std::vector<microseconds> latencies;
  microseconds longest_gap{0}; ///< between two confirms of one publisher

  [[nodiscard]] double gap_ms() const { return static_cast<double>(longest_gap.count()) / 1000; }
  [[nodiscard]] double p99_ms() const {
    if (latencies.empty()) return 0;
    std::vector<microseconds> sorted = latencies;
    const std::size_t at = (sorted.size() - 1) * 99 / 100;
    std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(at),
                     sorted.end());
    return static_cast<double>(sorted[at].count()) / 1000;
  }
};

double middle(std::vector<double> of) {
  std::sort(of.begin(), of.end());
  return of.at(of.size() / 2);
}
double worst(const std::vector<double>& of) { return *std::max_element(of.begin(), of.end()); }

struct Rounds {
  std::vector<double> gaps, p99s; ///< in ms, one of each round

  void add(const Waits& waits) {
    EXPECT_GT(waits.latencies.size(), 20U);
    gaps.push_back(waits.gap_ms());
    p99s.push_back(waits.p99_ms());
  }
};

/// Publishers and handlers at work on one message queue, until the end of this.
class Load {
 public:
  /// `each`: between two publishes of one publisher; 0: as fast as it goes.
  Load(const std::string& config, microseconds each)
      : queue_("pauses-" + std::to_string(::getpid())),
        each_(each),
        mq_(MessageQueue::try_open_text(config).value()),
        consumer_(mq_.consume(queue_, {.prefetch = 256, .concurrency = 8},
                              [](const swapmq::Delivery&) { return swapmq::ack(); })
                      .value()) {
    for (std::size_t p = 0; p < publishers; ++p) {
      threads_.emplace_back([this, p] { publish(p); });
    }
  }
  ~Load() {
    end_ = true;
    for (auto& thread : threads_) thread.join();
  }
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  MessageQueue& mq() { return mq_; }
  [[nodiscard]] std::uint64_t confirmed() const { return confirmed_; }
  [[nodiscard]] std::uint64_t refused() const { return refused_; }
  /// Of all publishes that ended between the two; after the end of publishing.
  Waits between(Time from, Time to) {
    end_ = true;
    for (auto& thread : threads_) thread.join();
    threads_.clear();
    Waits waits;
    for (const auto& ended : ended_) {
      for (std::size_t i = 1; i < ended.size(); ++i) {
        // The gap that a border falls into counts as well.
        if (ended[i].at < from || ended[i - 1].at > to) continue;
        waits.longest_gap =
            std::max(waits.longest_gap, duration_cast<microseconds>(ended[i].at - ended[i - 1].at));
        waits.latencies.push_back(ended[i].latency);
      }
    }
    return waits;
  }

 private:
  struct Ended {
    Time at;
    microseconds latency;
  };
  void publish(std::size_t p) {
    Time next = steady_clock::now() + each_ * p / publishers;
    while (!end_) {
      if (each_ > 0us) std::this_thread::sleep_until(next);
      const Time began = steady_clock::now();
      const bool sent{mq_.publish(queue_, "work")};
      const Time now = steady_clock::now();
      (sent ? confirmed_ : refused_) += 1;
      if (sent) ended_[p].push_back({now, duration_cast<microseconds>(now - began)});
      next = std::max(next + each_, now - each_); // who is late does not run after it for ever
    }
  }

  const std::string queue_;
  const microseconds each_;
  std::atomic<bool> end_{false};
  std::atomic<std::uint64_t> confirmed_{0}, refused_{0};
  std::array<std::vector<Ended>, publishers> ended_; // each its thread's
  MessageQueue mq_;
  swapmq::Consumer consumer_;
  std::vector<std::thread> threads_;
};

class SwitchPauses : public testing::TestWithParam<std::pair<std::string, std::string>> {
 protected:
  [[nodiscard]] std::string config(const std::string& type) const {
    return R"({"message_queue":{"type":")" + type + R"(","memory":{"name":")" + folder_.path() +
           R"("},"sqlite":{"path":")" + folder_ / "queues.db" + R"("},"redis_stream":)" +
           from_environment("SWITCH_REDIS") + R"(,"rabbitmq":)" +
           from_environment("SWITCH_RABBITMQ") + R"(},"log":{"level":"error"}})";
  }
  /// Confirmed publishes a second of all publishers, with handlers that keep up or do not.
  double sustained(const std::string& backend) const {
    static std::map<std::string, double> known;
    double& rate = known[backend];
    if (rate > 0) return rate;
    Load load(config(backend), 0us);
    std::this_thread::sleep_for(200ms); // to be at full speed
    const std::uint64_t before = load.confirmed();
    const Time began = steady_clock::now();
    std::this_thread::sleep_for(700ms);
    const std::chrono::duration<double> took = steady_clock::now() - began;
    rate = static_cast<double>(load.confirmed() - before) / took.count();
    return rate;
  }
  Waits alone(const std::string& backend, microseconds each) const {
    Load load(config(backend), each);
    std::this_thread::sleep_for(warm_up);
    const Time began = steady_clock::now();
    std::this_thread::sleep_for(measured_alone);
    return load.between(began, steady_clock::now());
  }
  Waits switching(const std::string& from, const std::string& to, microseconds each) const {
    Load load(config(from), each);
    std::this_thread::sleep_for(warm_up);
    const Time began = steady_clock::now();
    EXPECT_TRUE(load.mq().switch_to(to, {.allow_capability_loss = true}));
    std::this_thread::sleep_for(measured_switching);
    EXPECT_EQ(load.mq().backend_name(), to) << "within what is measured";
    Waits waits = load.between(began, steady_clock::now());
    EXPECT_EQ(load.refused(), 0U);
    return waits;
  }

  const swapmq::live::TempFolder folder_{"swapmq-pauses"};
};

TEST_P(SwitchPauses, AreThoseOfTheSlowerBackendAlone) {
  const auto& [from, to] = GetParam();
  const bool from_is_slower = sustained(from) < sustained(to);
  const std::string& slower = from_is_slower ? from : to;
  const double rate = sustained(slower) / 2;
  const microseconds each(static_cast<std::int64_t>(1e6 * publishers / rate));
  // In turn, and the middle one of each.
  Rounds during;
  Rounds old_side;
  Rounds new_side;
  // The one that sustains less is not always the one that takes longer to answer at that rate.
  const auto own_gap = [&] { return std::max(middle(old_side.gaps), middle(new_side.gaps)); };
  const auto own_p99 = [&] { return std::max(middle(old_side.p99s), middle(new_side.p99s)); };
  const auto within_bounds = [&] {
    const double most_p99 = std::max(own_p99() * allowed_p99, own_p99() + noise_ms);
    return middle(during.gaps) < own_gap() + allowed_gap_ms && middle(during.p99s) < most_p99;
  };
  for (std::size_t round = 0; round < most_rounds; ++round) {
    if (round >= rounds && within_bounds()) break;
    old_side.add(alone(from, each));
    during.add(switching(from, to, each));
    new_side.add(alone(to, each));
  }
  std::printf(
      "%-12s -> %-12s at %6.0f/s: longest gap %6.1f ms (worst %6.1f), alone %6.1f; "
      "p99 %6.2f ms (worst %6.2f), alone %6.2f, %4.2f times that; %zu rounds\n",
      from.c_str(), to.c_str(), rate, middle(during.gaps), worst(during.gaps), own_gap(),
      middle(during.p99s), worst(during.p99s), own_p99(), middle(during.p99s) / own_p99(),
      during.gaps.size());
  EXPECT_TRUE(within_bounds());
}

std::vector<std::pair<std::string, std::string>> all_pairs() {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const char* from : {"memory", "sqlite", "redis_stream", "rabbitmq"}) {
    for (const char* to : {"memory", "sqlite", "redis_stream", "rabbitmq"}) {
      if (std::string(from) != to) pairs.emplace_back(from, to);
    }
  }
  return pairs;
}

INSTANTIATE_TEST_SUITE_P(, SwitchPauses, testing::ValuesIn(all_pairs()), [](const auto& one) {
  return one.param.first + "_to_" + one.param.second;
});

} // namespace
} // namespace switch_test
