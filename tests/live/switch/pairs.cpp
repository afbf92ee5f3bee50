// SPDX-License-Identifier: MIT
//
// switch_pairs: switches under load between each two backends, and prints what became of every
// message. Takes the servers' options, as JSON, from SWITCH_REDIS and SWITCH_RABBITMQ.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdio>

#include "pair_run.hpp"

namespace switch_test {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t messages = 20'000;

std::string from_environment(const char* name) {
  const char* value = ::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set");
  return value;
}

class SwitchPairs : public testing::TestWithParam<std::pair<std::string, std::string>> {
 protected:
  SwitchPairs() : folder_((fs::temp_directory_path() / "swapmq-pairs-XXXXXX").string()) {
    EXPECT_NE(::mkdtemp(folder_.data()), nullptr);
  }
  ~SwitchPairs() override { fs::remove_all(folder_); }

  std::string folder_;
};

TEST_P(SwitchPairs, LoseNothing) {
  const auto& [from, to] = GetParam();
  Sections sections;
  sections.memory = R"({"name":")" + folder_ + R"("})";
  sections.sqlite = R"({"path":")" + folder_ + R"(/queues.db"})";
  sections.redis_stream = from_environment("SWITCH_REDIS");
  sections.rabbitmq = from_environment("SWITCH_RABBITMQ");
  const PairResult result = run_pair(sections, from, to, messages);
  std::printf("%-12s -> %-12s %9llu %7llu %5lld %7lld %7lld %5lld %5llu %6llu %7lld %9lld\n",
              from.c_str(), to.c_str(), static_cast<unsigned long long>(result.confirmed),
              static_cast<unsigned long long>(result.in_doubt),
              static_cast<long long>(result.ready), static_cast<long long>(result.unacked),
              static_cast<long long>(result.delayed), static_cast<long long>(result.dead),
              static_cast<unsigned long long>(result.lost),
              static_cast<unsigned long long>(result.twice),
              static_cast<long long>(result.longest_gap.count()),
              static_cast<long long>(result.until_retired.count()));
  EXPECT_EQ(result.trouble, "");
  EXPECT_EQ(result.lost, 0U);
  EXPECT_LE(result.twice, result.may_be_twice)
      << "more than was in doubt or unsettled at the end of a connection";
  EXPECT_EQ(result.failed, 0U);
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

INSTANTIATE_TEST_SUITE_P(, SwitchPairs, testing::ValuesIn(all_pairs()), [](const auto& one) {
  return one.param.first + "_to_" + one.param.second;
});

} // namespace
} // namespace switch_test
