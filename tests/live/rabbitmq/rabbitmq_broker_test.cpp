// SPDX-License-Identifier: MIT
//
// The brokers that tests start are what they say, and end when told. A start takes seconds, hence
// there are few tests, and each looks at much.
#include "rabbitmq_broker.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "../support/text.hpp"
#include "rabbitmq_cluster.hpp"

namespace swapmq::live {
namespace {

/// One of Debian's clients, which are not ours; throws where it does not answer in time.
std::string client(const std::string& program, const RabbitmqBroker& broker,
                   const std::vector<std::string>& more,
                   milliseconds patience = milliseconds(20'000)) {
  std::vector<std::string> line{program, "--url", broker.options().url()};
  line.insert(line.end(), more.begin(), more.end());
  const ProgramResult result = run_program(line, {}, patience);
  EXPECT_EQ(result.code, 0) << result.text();
  return result.out;
}

/// Those that have this in their environment.
std::vector<std::string> processes_with(const std::string& text) {
  std::vector<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    if (whole_file(entry.path() / "environ").find(text) == std::string::npos) continue;
    found.push_back(whole_file(entry.path() / "cmdline").substr(0, 100));
  }
  return found;
}

TEST(RabbitmqBroker, KeepsADurableQueueWhenKilledAndEndsInOrder) {
  RabbitmqSetup setup;
  setup.rabbit = {"{consumer_timeout, 4321}", "{disk_free_limit, 60000000}"};
  RabbitmqBroker broker(setup);
  EXPECT_EQ(broker.eval("application:get_env(rabbit, consumer_timeout)"), "{ok,4321}");
  EXPECT_EQ(broker.eval("application:get_env(rabbit, disk_free_limit)"), "{ok,60000000}");
  EXPECT_EQ(broker.eval("os:getpid()"), "\"" + std::to_string(broker.pid()) + "\"");
  EXPECT_THROW(broker.eval("1/0"), std::runtime_error);
  client("amqp-declare-queue", broker, {"--durable", "--queue", "tasks"});
  // What was declared just before a crash is now and then lost, also a second later.
  broker.eval("ok = mnesia:sync_log()");

  const int port = broker.port();
  broker.kill();
  EXPECT_FALSE(broker.running());
  EXPECT_FALSE(connect_to(port).valid());
  broker.restart();
  EXPECT_EQ(broker.port(), port);
  const ProgramResult queues = broker.command({"list_queues", "name", "durable"});
  EXPECT_EQ(queues.code, 0) << queues.text();
  EXPECT_NE(queues.out.find("tasks\ttrue"), std::string::npos) << queues.text();

  broker.stop();
  EXPECT_FALSE(broker.running());
  EXPECT_FALSE(connect_to(port).valid());
  EXPECT_NE(broker.log().find("RabbitMQ is asked to stop"), std::string::npos) << broker.log();
}

TEST(RabbitmqBroker, PausedIsSilentAndLeavesNothingBehind) {
  std::optional<RabbitmqBroker> broker(std::in_place);
  const RabbitmqNode node = broker->node();
  broker->pause();
  EXPECT_THROW(client("amqp-declare-queue", *broker, {"--queue", "tasks"}, milliseconds(200)),
               std::runtime_error);
  broker->resume();
  EXPECT_EQ(client("amqp-declare-queue", *broker, {"--queue", "tasks"}), "tasks\n");

  EXPECT_FALSE(processes_with(node.folder).empty());
  EXPECT_TRUE(connect_to(node.epmd).valid());
  broker.reset();
  for (const int port : {node.amqp, node.distribution, node.epmd}) {
    EXPECT_FALSE(connect_to(port).valid()) << port;
  }
  // The broker's own children notice that it has gone.
  EXPECT_TRUE(await([&node] { return processes_with(node.folder).empty(); }))
      << testing::PrintToString(processes_with(node.folder));
  EXPECT_FALSE(std::filesystem::exists(node.folder));
}

TEST(RabbitmqBroker, ShowsWhatItSaidWhereItDoesNotStart) {
  RabbitmqSetup setup;
  setup.rabbit = {"{no_closing_brace, 1"};
  try {
    const RabbitmqBroker broker(setup);
    FAIL() << "it started";
  } catch (const std::runtime_error& failure) {
    const std::string said = failure.what();
    EXPECT_NE(said.find("{default_user,<<\"queues\">>}"), std::string::npos) << said;
    EXPECT_NE(said.find("Failed to load advanced configuration file"), std::string::npos) << said;
  }
}

TEST(RabbitmqCluster, GoesOnWithoutANodeAndTakesItBack) {
  RabbitmqCluster cluster;
  const auto running = [&cluster] { return cluster[0].eval("length(rabbit_nodes:all_running())"); };
  EXPECT_EQ(running(), "3");
  cluster[2].kill();
  EXPECT_TRUE(await([&running] { return running() == "2"; }));
  client("amqp-declare-queue", cluster[1], {"--durable", "--queue", "tasks"});
  cluster[2].restart();
  EXPECT_TRUE(await([&running] { return running() == "3"; }));
  EXPECT_EQ(cluster[2].eval("length(rabbit_amqqueue:list())"), "1");
}

} // namespace
} // namespace swapmq::live
