// SPDX-License-Identifier: MIT
#include "config/difference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace swapmq::config {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(ConfigDifference, EqualConfigsHaveNone) {
  Config config;
  config.queues["tasks"].max_deliveries = 5;
  const Difference none = difference(config, config);
  EXPECT_THAT(none.live, IsEmpty());
  EXPECT_THAT(none.instance, IsEmpty());
  EXPECT_THAT(none.at_restart, IsEmpty());
}

TEST(ConfigDifference, EachKeyIsNamedWithWhatItTakes) {
  const Config before;
  Config after;
  after.task_queue = after.status_queue = after.heartbeat_queue = after.control_queue = "x";
  after.max_retries = 9;
  after.retry_delay = std::chrono::milliseconds(1);
  after.plugin_path = {"x"};
  after.sha256["x"] = "y";
  after.switching.allow_capability_loss = true;
  after.switching.drain_timeout = after.switching.stranded_timeout = std::chrono::milliseconds(1);
  after.switching.policy = BacklogPolicy::leave;
  after.switching.hold_publishes = true;
  after.switching.order = SwitchOrder::strict;
  after.switching.prepare_timeout = std::chrono::milliseconds(1);
  after.probe = false;
  after.log_level = "debug";
  after.connection_timeout = std::chrono::milliseconds(1);
  after.pool = {9, 9};
  after.log_file = after.state_dir = "x";
  const Difference all = difference(before, after);
  EXPECT_THAT(all.live,
              ElementsAre("/message_queue/task_queue", "/message_queue/status_queue",
                          "/message_queue/heartbeat_queue", "/message_queue/control_queue",
                          "/message_queue/max_retries", "/message_queue/retry_delay_seconds",
                          "/plugin_path", "/plugins", "/switch/allow_capability_loss",
                          "/switch/drain_timeout_seconds", "/switch/hold_publishes",
                          "/switch/order", "/switch/policy", "/switch/prepare_timeout_seconds",
                          "/switch/stranded_timeout_seconds", "/switch/probe", "/log/level"));
  EXPECT_THAT(all.instance, ElementsAre("/message_queue/connection_timeout_seconds",
                                        "/message_queue/pool/publish_sessions",
                                        "/message_queue/pool/consume_sessions"));
  EXPECT_THAT(all.at_restart, ElementsAre("/log/file", "/state_dir"));
}

TEST(ConfigDifference, AQueueThatIsListedNoMoreHasItsDefaultsAgain) {
  Config before;
  before.queues["a/b~c"] = {.max_deliveries = 5,
                            .dead_letter_queue = "dead",
                            .max_length = 7,
                            .strict_order = true,
                            .groups = {"one"}};
  const Difference gone = difference(before, {});
  EXPECT_THAT(gone.live,
              ElementsAre("/queues/a~1b~0c/max_deliveries", "/queues/a~1b~0c/dead_letter_queue",
                          "/queues/a~1b~0c/groups"));
  EXPECT_THAT(gone.instance,
              ElementsAre("/queues/a~1b~0c/max_length", "/queues/a~1b~0c/strict_order"));
}

} // namespace
} // namespace swapmq::config
