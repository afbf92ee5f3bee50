// SPDX-License-Identifier: MIT
//
// Nodes of a cluster that die, stop and come back while there is traffic on a queue that all of
// them have: what was confirmed is consumed, and what was said to have failed is not there.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "../support/expect_tally.hpp"
#include "../support/open_queue.hpp"
#include "../support/resting.hpp"
#include "../support/traffic.hpp"
#include "one_cluster.hpp"

namespace swapmq::live {
namespace {

class Cluster : public OneCluster {
 protected:
  static void finish(Traffic& traffic) {
    expect_nothing_lost(traffic.finish());
    expect_queue_is_empty();
  }
};

/// They lose their connections and their leader at once.
TEST_F(Cluster, LeaderAfterLeaderKilledWhereTheClientsAre) {
  Traffic traffic(config_from(0));
  ASSERT_TRUE(traffic.flows(100, kPatience));
  keep_queues();
  for (std::size_t at = 0; at < 2; ++at) {
    move_leader(at);
    ASSERT_TRUE(traffic.flows(100, kPatience));
    ASSERT_TRUE(has_clients(at));
    cluster()[at].kill();
    ASSERT_TRUE(traffic.flows(200, kPatience)) << "without node " << at;
    bring_back(at); // where no client goes, as long as its next node is there
    ASSERT_TRUE(traffic.flows(100, kPatience));
  }
  finish(traffic);
}

/// They keep their connections, behind which the leader changes.
TEST_F(Cluster, LeaderAfterLeaderKilledWhereNoClientIs) {
  Traffic traffic(config_from(1));
  ASSERT_TRUE(traffic.flows(100, kPatience));
  keep_queues();
  for (const std::size_t at : {0U, 2U}) {
    move_leader(at);
    ASSERT_TRUE(traffic.flows(100, kPatience));
    ASSERT_FALSE(has_clients(at));
    cluster()[at].kill();
    ASSERT_TRUE(traffic.flows(200, kPatience)) << "without node " << at;
    bring_back(at);
    ASSERT_TRUE(traffic.flows(100, kPatience));
  }
  finish(traffic);
}

TEST_F(Cluster, LeaderMovedByTheOperator) {
  Traffic traffic(config_from(0));
  for (std::size_t round = 1; round <= 9; ++round) {
    ASSERT_TRUE(traffic.flows(100, kPatience)) << "in round " << round;
    move_leader(next(0, round));
  }
  ASSERT_TRUE(traffic.flows(100, kPatience));
  const Tally tally = traffic.finish();
  expect_nothing_lost(tally);
  EXPECT_EQ(tally.failed + tally.in_doubt, 0U) << testing::PrintToString(tally.errors);
  expect_queue_is_empty();
}

TEST_F(Cluster, LeaderStoppedInOrder) {
  Traffic traffic(config_from(0));
  ASSERT_TRUE(traffic.flows(100, kPatience));
  move_leader(0);
  cluster()[0].stop();
  ASSERT_TRUE(traffic.flows(200, kPatience));
  bring_back(0);
  ASSERT_TRUE(traffic.flows(100, kPatience));
  finish(traffic);
}

/// The broker takes a publish and never answers it: its own timeout ends it.
TEST_F(Cluster, TwoOfThreeDead) {
  Traffic traffic(config_from(0), {.publish_timeout = milliseconds(1500)});
  ASSERT_TRUE(traffic.flows(100, kPatience));
  MessageQueue mq = open_queue(config_from(0));
  Resting resting(mq);
  keep_queues();
  move_leader(1);
  cluster()[1].kill();
  cluster()[2].kill();
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(traffic.fails(kPatience)) << "publishes end, number " << i;
  }
  const Sent sent = resting.add(mq, milliseconds(1000));
  EXPECT_NE(sent.outcome(), Outcome::confirmed);
  EXPECT_TRUE(sent.error().retryable()) << sent.error().message();
  const Error closed = mq.close(kPatience);
  EXPECT_FALSE(closed) << closed.message();
  cluster()[1].restart();
  bring_back(2);
  ASSERT_TRUE(traffic.flows(200, kPatience));
  resting.expect_all(traffic.consuming(), kPatience);
  finish(traffic);
}

} // namespace
} // namespace swapmq::live
