// SPDX-License-Identifier: MIT
//
// switch_pairs: switches under load between each two backends, and prints what became of every
// message. What becomes of the backlog, and the order, take turns with the pairs; with SWAPMQ_LONG
// set each pair has all of them, and ten times as many messages. Takes the servers' options, as
// JSON, from SWITCH_REDIS and SWITCH_RABBITMQ.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdio>

#include "pair_run.hpp"

namespace switch_test {
namespace {

namespace fs = std::filesystem;

using swapmq::BacklogPolicy;
using swapmq::SwitchOrder;

bool long_run() { return ::getenv("SWAPMQ_LONG") != nullptr; }

std::string from_environment(const char* name) {
  const char* value = ::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set");
  return value;
}

struct Case {
  std::string from, to;
  BacklogPolicy policy;
  SwitchOrder order;
};

class SwitchPairs : public testing::TestWithParam<Case> {
 protected:
  SwitchPairs() : folder_((fs::temp_directory_path() / "swapmq-pairs-XXXXXX").string()) {
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
  }
  ~SwitchPairs() override { fs::remove_all(folder_); }

  std::string folder_;
};

TEST_P(SwitchPairs, LoseNothing) {
  const auto& [from, to, policy, order] = GetParam();
  Sections sections;
  sections.memory = R"({"name":")" + folder_ + R"("})";
  sections.sqlite = R"({"path":")" + folder_ + R"(/queues.db"})";
  sections.redis_stream = from_environment("SWITCH_REDIS");
  sections.rabbitmq = from_environment("SWITCH_RABBITMQ");
  const PairResult result = run_pair(
      sections, from, to, {.allow_capability_loss = true, .policy = policy, .order = order},
      long_run() ? 200'000 : 20'000);
  std::printf(
      "%-12s -> %-12s %-8s %-7s %7llu confirmed, %llu lost, %llu twice, %llu in doubt; "
      "at the cut-over %lld ready, %lld unacked, %lld delayed, %lld dead; %llu moved, "
      "%llu left; longest gap %lld ms, retired after %lld ms\n",
      from.c_str(), to.c_str(), std::string(to_string(policy)).c_str(),
      std::string(to_string(order)).c_str(), static_cast<unsigned long long>(result.confirmed),
      static_cast<unsigned long long>(result.lost), static_cast<unsigned long long>(result.twice),
      static_cast<unsigned long long>(result.in_doubt), static_cast<long long>(result.ready),
      static_cast<long long>(result.unacked), static_cast<long long>(result.delayed),
      static_cast<long long>(result.dead), static_cast<unsigned long long>(result.moved),
      static_cast<unsigned long long>(result.left),
      static_cast<long long>(result.longest_gap.count()),
      static_cast<long long>(result.until_retired.count()));
  EXPECT_EQ(result.trouble, "");
  EXPECT_EQ(result.lost, 0U);
  EXPECT_LE(result.twice, result.may_be_twice)
      << "more than was in doubt or unsettled at the end of a connection";
  EXPECT_EQ(result.failed, 0U);
}

/// The memory backend's messages go with it: they cannot be left alone.
std::vector<std::pair<BacklogPolicy, SwitchOrder>> ways(const std::string& from) {
  std::vector<std::pair<BacklogPolicy, SwitchOrder>> all{
      {BacklogPolicy::transfer, SwitchOrder::relaxed},
      {BacklogPolicy::drain, SwitchOrder::strict},
      {BacklogPolicy::drain, SwitchOrder::relaxed}};
  if (from == "memory") return all;
  all[2] = {BacklogPolicy::leave, SwitchOrder::relaxed};
  if (long_run()) {
    all.emplace_back(BacklogPolicy::drain, SwitchOrder::relaxed);
    all.emplace_back(BacklogPolicy::leave, SwitchOrder::strict);
  }
  return all;
}

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  std::size_t turn = 0;
  for (const char* from : {"memory", "sqlite", "redis_stream", "rabbitmq"}) {
    for (const char* to : {"memory", "sqlite", "redis_stream", "rabbitmq"}) {
      if (std::string(from) == to) continue;
      const auto all = ways(from);
      for (std::size_t i = 0; i < all.size(); ++i) {
        if (!long_run() && i != turn % all.size()) continue;
        cases.push_back({from, to, all[i].first, all[i].second});
      }
      ++turn;
    }
  }
  return cases;
}

INSTANTIATE_TEST_SUITE_P(, SwitchPairs, testing::ValuesIn(all_cases()), [](const auto& one) {
  return one.param.from + "_to_" + one.param.to + "_" + std::string(to_string(one.param.policy)) +
         "_" + std::string(to_string(one.param.order));
});

} // namespace
} // namespace switch_test
