// SPDX-License-Identifier: MIT
//
// Several RabbitMQ nodes on this machine that are one broker.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "rabbitmq_broker.hpp"

namespace swapmq::live {

/// Each node is killed, stopped, paused and started by itself; clients may come to any.
class RabbitmqCluster {
 public:
  /// Starts them and awaits that all know each other: seven seconds for three on two cores.
  explicit RabbitmqCluster(const RabbitmqSetup& setup = {}, std::size_t nodes = 3);

  [[nodiscard]] RabbitmqBroker& operator[](std::size_t node) { return *nodes_.at(node); }
  [[nodiscard]] std::size_t size() const { return nodes_.size(); }
  /// Starts all of them again, killed at once if they run; none is up before the others are.
  void restart();

 private:
  void launch_all();
  void join(const RabbitmqBroker& node) const;
  void await_formed() const;

  std::vector<std::unique_ptr<RabbitmqBroker>> nodes_;
};

} // namespace swapmq::live
