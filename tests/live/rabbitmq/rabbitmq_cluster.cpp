// SPDX-License-Identifier: MIT
#include "rabbitmq_cluster.hpp"

#include <stdexcept>
#include <string>

namespace swapmq::live {

RabbitmqCluster::RabbitmqCluster(const RabbitmqSetup& setup, std::size_t nodes) {
  const auto epmd = std::make_shared<Epmd>();
  for (std::size_t i = 0; i < nodes; ++i) {
    const std::string name = "rabbit" + std::to_string(i) + "@localhost";
    nodes_.emplace_back(new RabbitmqBroker(setup, epmd, name)); // private, to make_unique as well
  }
  launch_all();
  for (const auto& node : nodes_) node->await_startup();
  // One after the other: where nodes find each other by themselves they wait for random times.
  for (std::size_t i = 1; i < nodes; ++i) join(*nodes_[i]);
  await_formed();
}

void RabbitmqCluster::launch_all() {
  for (const auto& node : nodes_) node->launch();
}

/// As rabbitmqctl stop_app, join_cluster, start_app.
void RabbitmqCluster::join(const RabbitmqBroker& node) const {
  node.eval("ok = rabbit:stop(), ok = rabbit_mnesia:join_cluster('" + nodes_.front()->node().name +
            "', disc), ok = rabbit:start()");
}

void RabbitmqCluster::restart() {
  for (const auto& node : nodes_) node->kill();
  launch_all();
  for (const auto& node : nodes_) node->await_startup();
  await_formed();
}

void RabbitmqCluster::await_formed() const {
  const auto formed = [this] {
    return nodes_.front()->eval("length(rabbit_nodes:all_running())") == std::to_string(size());
  };
  if (!await(formed, milliseconds(60'000))) {
    throw std::runtime_error("the RabbitMQ nodes form no cluster:\n" + nodes_.front()->log());
  }
}

} // namespace swapmq::live
