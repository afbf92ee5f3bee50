// SPDX-License-Identifier: MIT
//
// switch_kills: a host is killed (SIGKILL) at each place of the journal and of the switch, between
// each two durable backends, and started again with a config that names the one or the other. What
// was confirmed is there, and nothing comes twice but what was in doubt or unsettled, or on its way
// from the one to the other. The policies drain and transfer take turns with the pairs; with
// SWAPMQ_LONG set each pair has both. Takes the servers' options, as JSON, from SWITCH_REDIS and
// SWITCH_RABBITMQ.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <stdexcept>
#include <thread>

#include "support/child_process.hpp"

namespace switch_test {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using swapmq::live::ChildProcess;
using swapmq::live::Clock;
using swapmq::live::Exit;

using Options = std::map<std::string, std::string>;

std::string from_environment(const char* name) {
  const char* value = ::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set");
  return value;
}

/// What the victims noted, each id by what happened to it.
struct Ids {
  std::map<std::string, int> tried, confirmed, got, moved, acked;

  explicit Ids(const std::string& path) {
    std::ifstream file(path);
    std::string what, id;
    while (file >> what >> id) {
      (what == "try"     ? tried
       : what == "ok"    ? confirmed
       : what == "moved" ? moved
       : what == "got"   ? got
                         : acked)[id] += 1;
      if (what == "moved") got[id] += 1;
    }
  }
  [[nodiscard]] std::vector<std::string> lost() const {
    std::vector<std::string> ids;
    for (const auto& [id, times] : confirmed) {
      if (!got.contains(id)) ids.push_back(id);
    }
    return ids;
  }
};

constexpr std::size_t side_by_side = 6; // hosts, which mostly wait

/// One host's life, with a folder and queues of its own.
class Life {
 public:
  Life(std::string from, std::string to, std::string policy, std::size_t place)
      : from_(std::move(from)),
        to_(std::move(to)),
        policy_(std::move(policy)),
        place_(place),
        folder_((fs::temp_directory_path() / "swapmq-kills-XXXXXX").string()) {
    if (::mkdtemp(folder_.data()) == nullptr) throw std::runtime_error("no folder for a host");
    sections_ = {{"sqlite", R"({"lease_ms":1000,"path":")" + folder_ + R"(/queues.db"})"},
                 {"redis_stream", with(from_environment("SWITCH_REDIS"),
                                       R"("lease_ms":1000,"key_prefix":")" + own_name() + R"(-")")},
                 {"rabbitmq", with(from_environment("SWITCH_RABBITMQ"),
                                   R"("queue_prefix":")" + own_name() + R"(-")")}};
  }
  ~Life() { fs::remove_all(folder_); }
  Life(const Life&) = delete;
  Life& operator=(const Life&) = delete;

  /// Killed at the place, started again, and looked at.
  void live() {
    const std::string ids = folder_ + "/ids";
    const Exit exit = run({config(from_), ids, "k", to_, std::to_string(place_), policy_});
    survived = exit.signal == 0;
    if (survived && exit.code != 0) trouble("was not killed, and failed");
    const Ids before(ids);
    // Somebody edited the config back, or did not.
    const std::string next = place_ % 2 == 0 ? from_ : to_;
    if (run({config(next), ids}).code != 0) trouble("did not get all of it with " + next);
    const Ids after(ids);
    confirmed = after.confirmed.size();
    moved = after.moved.size();
    for (const std::string& id : after.lost()) {
      ++lost;
      trouble(id + " was confirmed and is lost");
    }
    for (const auto& [id, times] : after.got) {
      if (times < 2) continue;
      ++twice;
      if (!before.confirmed.contains(id) || !before.acked.contains(id)) continue;
      // It was confirmed there, and not yet acked here, when the mover was killed.
      const auto carried = after.moved.find(id);
      if (carried != after.moved.end() && carried->second == 1 && times == 2) continue;
      trouble(id + " was confirmed and settled, and came " + std::to_string(times) + " times");
    }
  }

  bool survived = false;
  std::size_t confirmed = 0, lost = 0, twice = 0, moved = 0;
  std::string troubles; ///< what is not as it should be; empty: nothing

 private:
  void trouble(const std::string& what) {
    troubles += "at place " + std::to_string(place_) + ": " + what + "\n";
  }
  [[nodiscard]] std::string own_name() const { return fs::path(folder_).filename().string(); }
  static std::string with(const std::string& options, const std::string& more) {
    return options.substr(0, options.rfind('}')) + "," + more + "}";
  }
  [[nodiscard]] std::string config(const std::string& type) const {
    std::string text = R"({"message_queue":{"type":")" + type + R"(","retry_delay_seconds":0)";
    for (const auto& [name, options] : sections_) text += ",\"" + name + "\":" + options;
    text += R"(},"switch":{"allow_capability_loss":true},"log":{"level":"error"},"state_dir":")" +
            folder_ + R"(/state"})";
    const std::string path = folder_ + "/" + type + ".json";
    std::ofstream(path) << text;
    return path;
  }
  Exit run(const std::vector<std::string>& arguments) {
    std::vector<std::string> all{SWITCH_VICTIM};
    all.insert(all.end(), arguments.begin(), arguments.end());
    ChildProcess child({all});
    const auto exit = child.wait(Clock::now() + 60s);
    if (!exit) trouble("hangs");
    return exit.value_or(Exit{});
  }

  const std::string from_, to_, policy_;
  const std::size_t place_;
  std::string folder_;
  Options sections_;
};

struct Case {
  std::string from, to, policy;
};

class SwitchKills : public testing::TestWithParam<Case> {};

TEST_P(SwitchKills, LoseNothingAtAnyPlace) {
  const auto& [from, to, policy] = GetParam();
  std::size_t places = 0;
  std::size_t confirmed = 0;
  std::size_t twice = 0;
  std::size_t lost = 0;
  std::size_t moved = 0;
  for (bool survived = false; !survived;) {
    ASSERT_LT(places, 100U);
    std::vector<std::unique_ptr<Life>> lives;
    std::vector<std::thread> threads;
    for (std::size_t i = 1; i <= side_by_side; ++i) {
      lives.push_back(std::make_unique<Life>(from, to, policy, places + i));
      threads.emplace_back([&life = *lives.back()] { life.live(); });
    }
    for (auto& thread : threads) thread.join();
    for (const auto& life : lives) {
      EXPECT_EQ(life->troubles, "");
      survived = survived || life->survived;
      places += life->survived ? 0 : 1;
      confirmed += life->confirmed;
      twice += life->twice;
      lost += life->lost;
      moved += life->moved;
    }
  }
  std::printf(
      "%-12s -> %-12s %-8s killed at %zu places: %zu confirmed, %zu lost, %zu twice, %zu moved\n",
      from.c_str(), to.c_str(), policy.c_str(), places, confirmed, lost, twice, moved);
  const bool moves = policy == "transfer";
  EXPECT_GE(places, moves ? 22U : 19U) << "the places of the journal, of the switch, of moving";
  EXPECT_TRUE(moves || moved == 0) << moved;
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  bool transfer = false;
  for (const char* from : {"sqlite", "redis_stream", "rabbitmq"}) {
    for (const char* to : {"sqlite", "redis_stream", "rabbitmq"}) {
      if (std::string(from) == to) continue;
      const bool both = ::getenv("SWAPMQ_LONG") != nullptr;
      if (both || !transfer) cases.push_back({from, to, "drain"});
      if (both || transfer) cases.push_back({from, to, "transfer"});
      transfer = !transfer;
    }
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(, SwitchKills, testing::ValuesIn(all_cases()), [](const auto& one) {
  return one.param.from + "_to_" + one.param.to + "_" + one.param.policy;
});

} // namespace
} // namespace switch_test
