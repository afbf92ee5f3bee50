// SPDX-License-Identifier: MIT
//
// A server that syncs its file every second and dies under traffic. What was confirmed last may be
// lost then: how much it was is counted and said, and that it was nothing but the last.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <set>
#include <string>

#include "../support/deadline.hpp"
#include "../support/queue_state.hpp"
#include "../support/traffic.hpp"
#include "redis_app.hpp"
#include "redis_server.hpp"

namespace swapmq::live {
namespace {

using testing::IsEmpty;

// Redis syncs each second, and puts off writing for up to two while a sync is on its way.
constexpr auto kBetweenSyncs = milliseconds(1000);
constexpr auto kWritesLate = milliseconds(2000);
// Longer than both: there is something that must not be lost.
constexpr auto kLong = milliseconds(5000);

/// More than the consumer takes at once, so that there is something to lose.
constexpr Traffic::Shape kShape{.publishers = 4, .batch = 128, .most_waiting = 20'000};

AppConfig config_for(const RedisOptions& redis) {
  AppConfig config{redis};
  config.broker.more = R"("retry_delay_seconds":0.01)";
  config.more = R"(,"max_retries":1000000,"retry_delay_seconds":0)";
  return config;
}

/// The file that the server appends to: that of its files which is longest.
std::string aof_of(const RedisServer& server) {
  std::filesystem::path longest;
  std::uintmax_t bytes = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(server.folder().path())) {
    if (entry.path().extension() != ".aof" || entry.file_size() <= bytes) continue;
    bytes = entry.file_size();
    longest = entry.path();
  }
  return longest;
}

bool flows_for(milliseconds time, Traffic& traffic) {
  const auto end = Clock::now() + time;
  while (Clock::now() < end) {
    if (!traffic.flows()) return false;
  }
  return true;
}

/// The outage, as the test knows it.
struct Outage {
  Clock::time_point safe;  ///< what was confirmed until then is kept
  Clock::time_point kill;  ///< the server was alive until then
  std::uint64_t after = 0; ///< messages from this number on were published afterwards
};

void say(const std::string& property, std::size_t value) {
  std::cout << property << ": " << value << '\n';
  testing::Test::RecordProperty(property, std::to_string(value));
}

void expect_only_the_last_lost(const Tally& tally, const Outage& outage) {
  EXPECT_THAT(tally.failed_yet_stored, IsEmpty());
  EXPECT_THAT(tally.invented, IsEmpty());
  std::set<std::uint64_t> early; // lost or twice, though long done when the server died
  std::set<std::uint64_t> late;  // the same of what was published when all was well again
  milliseconds window(0);
  for (const std::uint64_t number : tally.lost) {
    const auto confirmed = tally.confirmed_at.at(number);
    window = std::max(window, std::chrono::ceil<milliseconds>(outage.kill - confirmed));
    if (confirmed < outage.safe) early.insert(number);
    if (number >= outage.after) late.insert(number);
  }
  // What comes twice was acknowledged, or published and in doubt, shortly before the end.
  for (const std::uint64_t number : tally.twice) {
    if (tally.consumed_at.at(number) < outage.safe) early.insert(number);
    if (number >= outage.after) late.insert(number);
  }
  EXPECT_THAT(early, IsEmpty());
  EXPECT_THAT(late, IsEmpty());
  say("confirmed", tally.confirmed);
  say("in_doubt", tally.in_doubt);
  say("failed", tally.failed);
  say("twice", tally.twice.size());
  say("lost", tally.lost.size());
  say("lost_window_ms", static_cast<std::size_t>(window.count()));
}

void kill_under_traffic(const RedisSetup& setup) {
  RedisServer server(setup);
  Traffic traffic(config_for(server.options()).json(), kShape);
  ASSERT_TRUE(flows_for(kLong, traffic));
  const auto kill = Clock::now();
  server.kill();
  traffic.write_off();
  server.restart();
  ASSERT_TRUE(traffic.flows());
  const Outage outage{kill - kBetweenSyncs - kWritesLate, kill, traffic.next_number()};
  ASSERT_TRUE(traffic.flows());
  expect_only_the_last_lost(traffic.finish(), outage);
  expect_empty(traffic.publishing());
}

TEST(EverySecond, ServerKilled) { kill_under_traffic(*redis_setup("aof_everysec")); }

/// Then it confirms what it keeps in its memory alone for a while, and has lost that when it dies.
TEST(EverySecond, ServerKilledWhoseDiskIsSlow) {
  RedisSetup setup = *redis_setup("aof_everysec");
  setup.preload = SLOW_SYNC_LIBRARY;
  kill_under_traffic(setup);
}

/// A power cut: what was written last never reached the disk.
TEST(EverySecond, LastSecondOfTheFileLost) {
  RedisServer server(*redis_setup("aof_everysec"));
  Traffic traffic(config_for(server.options()).json(), kShape);
  ASSERT_TRUE(flows_for(kLong, traffic));
  const std::string file = aof_of(server);
  ASSERT_FALSE(file.empty());
  const auto synced = Clock::now();
  const auto bytes = std::filesystem::file_size(file);
  ASSERT_TRUE(flows_for(kBetweenSyncs, traffic));
  const auto kill = Clock::now();
  server.kill();
  traffic.write_off();
  ASSERT_GT(std::filesystem::file_size(file), bytes);
  std::filesystem::resize_file(file, bytes);
  server.restart();
  ASSERT_TRUE(traffic.flows());
  const Outage outage{synced - kWritesLate, kill, traffic.next_number()};
  ASSERT_TRUE(traffic.flows());
  const Tally tally = traffic.finish();
  EXPECT_FALSE(tally.lost.empty()) << "then this test looked at nothing";
  expect_only_the_last_lost(tally, outage);
  expect_empty(traffic.publishing());
}

} // namespace
} // namespace swapmq::live
