// SPDX-License-Identifier: MIT
//
// One cluster of three nodes for all tests of a program, and its quorum queue "tasks".
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <string>
#include <vector>

#include "../support/app_config.hpp"
#include "../support/deadline.hpp"
#include "../support/text.hpp"
#include "one_broker.hpp"
#include "rabbitmq_cluster.hpp"

namespace swapmq::live {

/// The options of who knows several brokers, which are tried in this order.
struct ClusterOptions {
  static constexpr std::string_view kBackend = "rabbitmq";

  std::vector<std::string> urls;
  std::string more{}; ///< further members as they stand in JSON

  [[nodiscard]] std::string json() const {
    std::string list;
    for (const std::string& url : urls) list += (list.empty() ? "" : ",") + json_text(url);
    JsonMembers members;
    members.add("urls", "[" + list + "]");
    members.add_raw(more);
    return members.object();
  }
};

/// Each test leaves all nodes running and without queues.
class OneCluster : public testing::Test {
 protected:
  static constexpr milliseconds kPatience{60'000}; // elections and starts, on a busy machine

  static RabbitmqCluster& cluster() {
    static RabbitmqCluster one;
    return one;
  }
  /// Quick to notice and to try again; no message is ever a dead letter. Connects to this node as
  /// long as it is there, and then to the next.
  static std::string config_from(std::size_t node) {
    ConfigOf<ClusterOptions> config{};
    for (std::size_t i = 0; i < cluster().size(); ++i) {
      config.broker.urls.push_back(cluster()[next(node, i)].options().url());
    }
    config.broker.more = R"("connection_timeout_seconds":3,"retry_delay_seconds":0.01)";
    config.more = R"(,"max_retries":1000000,"retry_delay_seconds":0)";
    return config.json();
  }
  static std::size_t next(std::size_t node, std::size_t by = 1) {
    return (node + by) % cluster().size();
  }

  /// Where the leader of the queue is, as its members say; size() where nobody knows by now.
  static std::size_t leader() {
    std::string name;
    for (std::size_t i = 0; i < cluster().size(); ++i) {
      if (!cluster()[i].running()) continue;
      name = cluster()[i].eval(
          queue("case ra:members({element(1, amqqueue:get_pid(Q)), node()}, 5000) of "
                "{ok, _, {_, Node}} -> Node; _ -> none end"));
      if (name != "none") break;
    }
    std::size_t at = 0;
    while (at < cluster().size() && name != node_name(at)) ++at;
    return at;
  }
  static void expect_leader_at(std::size_t node) {
    EXPECT_TRUE(await([node] { return leader() == node; }, kPatience)) << leader();
  }
  /// By the operator's command; it may have to be told again while a member catches up.
  static void move_leader(std::size_t to) {
    ASSERT_TRUE(await(
        [to] {
          const std::size_t at = leader();
          if (at == to) return true;
          if (at == cluster().size()) return false;
          cluster()[at].eval(
              queue("rabbit_quorum_queue:transfer_leadership(Q, " + node_name(to) + ")"));
          return leader() == to;
        },
        kPatience));
  }
  static bool has_clients(std::size_t node) {
    return cluster()[node].eval("length(rabbit_networking:local_connections())") != "0";
  }

  /// What it was away for it gets from the others.
  static void bring_back(std::size_t node) {
    cluster()[node].restart();
    await_all_running();
  }
  static void await_all_running() {
    const auto count = std::to_string(cluster().size());
    for (std::size_t i = 0; i < cluster().size(); ++i) {
      ASSERT_TRUE(
          await([&] { return cluster()[i].eval("length(rabbit_nodes:all_running())") == count; },
                kPatience));
    }
  }
  /// A node that dies may forget what it was told just before.
  static void keep_queues() {
    for (std::size_t i = 0; i < cluster().size(); ++i) cluster()[i].eval(kKeepQueues);
  }
  static void expect_queue_is_empty() {
    std::string left;
    EXPECT_TRUE(await(
        [&] {
          left =
              cluster()[0].eval(queue("proplists:get_value(messages, "
                                      "rabbit_amqqueue:info(Q, [messages]))"));
          return left == "0";
        },
        kPatience))
        << left;
  }
  void TearDown() override {
    for (std::size_t i = 0; i < cluster().size(); ++i) {
      if (!cluster()[i].running()) cluster()[i].restart();
    }
    await_all_running();
    cluster()[0].eval(kDeleteQueues);
  }

 private:
  static std::string node_name(std::size_t node) {
    return "rabbit" + std::to_string(node) + "@localhost";
  }
  /// Erlang about the queue, which is Q there.
  static std::string queue(const std::string& expressions) {
    return R"({ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<"tasks">>)), )" +
           expressions;
  }
};

} // namespace swapmq::live
