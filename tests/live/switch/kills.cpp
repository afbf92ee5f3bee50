// SPDX-License-Identifier: MIT
//
// switch_kills: a host is killed (SIGKILL) at each place of the journal and of the switch, between
// each two durable backends, and started again with a config that names the one or the other. What
// was confirmed is there, and nothing comes twice but what was in doubt or unsettled, or on its way
// from the one to the other. The policies drain and transfer take turns with the pairs; with
// SWAPMQ_LONG set each pair has both.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>
#include <thread>

#include "scenario.hpp"

namespace switch_test {
namespace {

constexpr std::size_t side_by_side = 6; // hosts, which mostly wait

/// One host's life.
class Life : Stage {
 public:
  Life(std::string from, std::string to, std::string policy, std::size_t place)
      : from_(std::move(from)), to_(std::move(to)), policy_(std::move(policy)), place_(place) {}

  /// Killed at the place, started again, and looked at.
  void live() try {
    be_killed();
    const Books before = books();
    // Somebody edited the config back, or did not.
    const std::string next = place_ % 2 == 0 ? from_ : to_;
    take_what_is_left(next);
    const Books after = books();
    confirmed = after.count("ok");
    moved = after.count("moved");
    twice = after.twice().size();
    lost = after.missing().size();
    for (const std::string& id : after.missing()) {
      trouble(id + " was confirmed and is lost with " + next);
    }
    for (const std::string& id : after.strangers()) trouble(id + " was never published");
    for (const std::string& id : after.twice()) {
      const bool settled = before.times("ok", id) > 0 && before.times("ack", id) > 0;
      // It was confirmed there, and not yet acked here, when the mover was killed: what lies here
      // comes as well, or is moved once more.
      const bool carried = after.times("moved", id) >= 1 && after.times("got", id) == 2;
      if (settled && !carried) trouble(id + " was confirmed and settled, and came again");
    }
  } catch (const std::exception& problem) {
    trouble(problem.what());
  }

  bool survived = false;
  std::size_t confirmed = 0, lost = 0, twice = 0, moved = 0;
  std::string troubles; ///< what is not as it should be; empty: nothing

 private:
  void trouble(const std::string& what) {
    troubles += "at place " + std::to_string(place_) + ": " + what + "\n";
  }
  void be_killed() {
    std::unique_ptr<Host> host;
    try {
      host = start("host", from_, sections(), place_);
      switch_over(*host);
      host->end();
      survived = true;
    } catch (const Host::Died& death) {
      const bool killed = host != nullptr ? host->was_killed() : death.signal == SIGKILL;
      if (!killed) trouble(death.what());
      host.reset();
    }
  }
  void switch_over(Host& host) const {
    host.tell("consume tasks ack 16 4");
    // Something always lies where publishes go, so that a kill finds it there.
    for (const char* what : {"a 0 0", "b 0 0", "later 0 300"}) {
      host.tell(std::string("publish tasks ") + what);
    }
    let_flow(host, 100);
    if (policy_ == "transfer") { // a dead letter, which nobody takes but who moves it
      host.tell("publish tasks bad 1 0 1 poison");
      await([&] { return host.tell("stats tasks.dead")[0] != '0'; });
    }
    host.switch_to(to_, policy_);
    if (!await([&] { return host.has_retired(from_); })) throw std::runtime_error("never retired");
    let_flow(host, 50);
    host.tell("halt");
    const auto done = [&](const Counts& counts) { return counts.handled >= counts.published - 1; };
    if (!await([&] { return done(host.counts()); })) throw std::runtime_error("not all came");
  }
  void take_what_is_left(const std::string& type) const {
    auto successor = start("host", type);
    successor->tell("consume tasks ack 16 4");
    successor->tell("consume tasks.dead take 16 1");
    await([this] { return books().missing().empty(); });
    lasts(milliseconds(200), [] { return true; }); // what else there is comes twice
    successor->end();
  }

  const std::string from_, to_, policy_;
  const std::size_t place_;
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
      const bool both = std::getenv("SWAPMQ_LONG") != nullptr;
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
