// SPDX-License-Identifier: MIT
//
// Which delay is waited for where.
#include "routes.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "message_encoder.hpp"
#include "requests.hpp"

namespace swapmq::rabbitmq {
namespace {

constexpr int64_t kLongest = int64_t{1} << 31;

Options options() {
  Options made;
  made.quorum_group_size = 5;
  return made;
}

class RoutesTest : public testing::Test {
 protected:
  /// How long a message stays in the queue that it is sent to.
  int64_t waits(int64_t left_ms) {
    return static_cast<int64_t>(routes_.due_in(left_ms).arguments.delay_ms);
  }

  QueueRoutes routes_{"queue", 0, false, options()};
};

TEST_F(RoutesTest, AShortDelayIsHeldByConsumers) {
  for (const int64_t left : {INT64_MIN, int64_t{-1}, int64_t{0}, int64_t{1}, int64_t{127}}) {
    EXPECT_EQ(&routes_.due_in(left), &routes_.queue()) << left;
  }
  EXPECT_EQ(routes_.queue().queue, "queue");
  EXPECT_EQ(routes_.queue().arguments.delay_ms, 0U);
}

TEST_F(RoutesTest, ADelayIsServedByTheLongestThatIsNotTooLong) {
  const std::vector<std::pair<int64_t, int64_t>> all{{128, 128},
                                                     {191, 128},
                                                     {192, 192},
                                                     {255, 192},
                                                     {128, 128},
                                                     {191, 128},
                                                     {192, 192},
                                                     {1000, 768},
                                                     {1024, 1024},
                                                     {60'000, 49'152},
                                                     {86'400'000, 67'108'864},
                                                     {kLongest - 1, kLongest / 4 * 3},
                                                     {kLongest, kLongest},
                                                     {kLongest + 1, kLongest},
                                                     {INT64_MAX, kLongest}};
  for (const auto& [left, waited] : all) EXPECT_EQ(waits(left), waited) << left;
}

TEST_F(RoutesTest, NoDelayIsTooLongAndAllButAThirdIsServed) {
  const auto check = [&](int64_t left) {
    const int64_t waited = waits(left);
    ASSERT_LE(waited, left);
    ASSERT_LT(left - waited, left / 3 + 1) << left;
  };
  for (int64_t left = kShortestDelay_ms; left < 20'000; ++left) check(left);
  for (int64_t left = 20'000; left < kLongest / 2 * 3; left += left / 300) check(left);
}

TEST_F(RoutesTest, AnyDelayIsOverAfterAFewQueues) {
  for (int64_t left : {int64_t{129}, int64_t{3'600'000}, int64_t{86'399'999}, kLongest - 1}) {
    int hops = 0;
    for (; &routes_.due_in(left) != &routes_.queue(); ++hops) left -= waits(left);
    EXPECT_GE(left, 0);
    EXPECT_LE(hops, 25);
  }
}

TEST_F(RoutesTest, ADelayQueueIsAlwaysAQuorumQueueThatLeadsToItsQueue) {
  Options classic;
  classic.queue_type = QueueType::classic;
  classic.max_priority = 5;
  QueueRoutes routes("queue", 10, true, classic);
  const QueueArguments& queue = routes.queue().arguments;
  EXPECT_EQ(queue.type, QueueType::classic);
  EXPECT_EQ(queue.max_length, 10U);
  EXPECT_TRUE(queue.single_active_consumer);
  EXPECT_EQ(queue.max_priority, 5U);
  EXPECT_EQ(queue.then_to, "");
  const Route& delay = routes.due_in(1000);
  EXPECT_EQ(delay.queue, "swapmq.delay.768.queue");
  EXPECT_EQ(delay.frame, publish_frame(kPublishChannel, delay.queue));
  EXPECT_EQ(delay.arguments.type, QueueType::quorum);
  EXPECT_EQ(delay.arguments.then_to, "queue");
  EXPECT_EQ(delay.arguments.max_length, 0U); // a full one would lose what it is to move
  EXPECT_FALSE(delay.arguments.single_active_consumer);
  EXPECT_EQ(routes_.due_in(128).arguments.quorum_group_size, 5U);
}

TEST_F(RoutesTest, AMessageForTheQueueGoesThere) {
  EXPECT_EQ(routes_.queue().frame, publish_frame(kPublishChannel, "queue"));
}

TEST_F(RoutesTest, ARouteStaysWhereItIs) {
  Route* first = &routes_.due_in(128);
  for (int64_t left = 128; left < kLongest; left += left / 2) routes_.due_in(left);
  EXPECT_EQ(&routes_.due_in(128), first);
  EXPECT_EQ(&routes_.due_in(191), first);
}

TEST_F(RoutesTest, EveryDelayQueueThatThereCanBeIsNamed) {
  const std::vector<std::string> names = routes_.delay_queue_names();
  const std::set<std::string> all(names.begin(), names.end());
  EXPECT_EQ(all.size(), names.size());
  std::set<std::string> used;
  for (int64_t left = kShortestDelay_ms; left < 2 * kLongest; left += 1 + left / 50) {
    used.insert(routes_.due_in(left).queue);
  }
  EXPECT_EQ(used, all);
}

TEST_F(RoutesTest, ForgetsOfAllOfThemWhatExists) {
  routes_.queue().declared_on = 7;
  routes_.due_in(128).declared_on = 7;
  routes_.due_in(5000).declared_on = 7;
  routes_.forget();
  EXPECT_EQ(routes_.queue().declared_on, 0U);
  EXPECT_EQ(routes_.due_in(128).declared_on, 0U);
  EXPECT_EQ(routes_.due_in(5000).declared_on, 0U);
}

} // namespace
} // namespace swapmq::rabbitmq
