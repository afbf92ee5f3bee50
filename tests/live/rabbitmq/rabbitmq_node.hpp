// SPDX-License-Identifier: MIT
//
// Where a RabbitMQ node of the tests is, whoever started it, and how it is commanded.
#pragma once

#include <string>
#include <vector>

#include "../support/run_program.hpp"
#include "rabbitmq_setup.hpp"

namespace swapmq::live {

/// All that it has is in its folder and on these ports of 127.0.0.1; nothing is the system's.
struct RabbitmqNode {
  std::string folder{};
  std::string name = "rabbit@localhost";
  int amqp = 0, tls = 0, management = 0; ///< 0: does not listen there
  int distribution = 0, epmd = 0;        ///< of Erlang
  std::string cookie{};                  ///< whoever knows it may run any code in the node
};

/// Makes what is in the folder before the first start. Throws std::runtime_error where RabbitMQ is
/// not installed.
void prepare_node(const RabbitmqNode& node, const RabbitmqSetup& setup);
/// What stands in its advanced.config.
[[nodiscard]] std::string node_config(const RabbitmqNode& node, const RabbitmqSetup& setup);

/// A program of RabbitMQ with its arguments, as one that means this node. `more` are further
/// environment variables, NAME=VALUE.
[[nodiscard]] std::vector<std::string> with_node(const RabbitmqNode& node,
                                                 const std::vector<std::string>& program,
                                                 const std::vector<std::string>& more = {});

/// What the plugin needs to be told.
[[nodiscard]] RabbitmqOptions node_options(const RabbitmqNode& node, const RabbitmqSetup& setup);

/// Runs rabbitmqctl, which takes about half a second.
ProgramResult rabbitmqctl(const RabbitmqNode& node, const std::vector<std::string>& words);

/// Evaluates Erlang expressions in the node, in a few milliseconds; the value as Erlang prints it.
/// Throws std::runtime_error where that fails.
std::string evaluate(const RabbitmqNode& node, const std::string& expressions);

} // namespace swapmq::live
