// SPDX-License-Identifier: MIT
//
// A real RabbitMQ broker of a test's own: on free ports, in a folder of its own, ended with the
// test.
#pragma once

#include <sys/types.h>

#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "../support/child_process.hpp"
#include "../support/descriptor.hpp"
#include "../support/port.hpp"
#include "../support/run_program.hpp"
#include "../support/temp_folder.hpp"
#include "epmd.hpp"
#include "rabbitmq_node.hpp"
#include "rabbitmq_setup.hpp"

namespace swapmq::live {

/// How the names of brokers' folders begin.
inline constexpr std::string_view kBrokerFolder = "swapmq-rabbitmq";

/// To be started anew by the thread that made it, which must outlive it: the kernel ends the broker
/// with that thread. Functions throw std::runtime_error.
class RabbitmqBroker {
 public:
  /// Starts it and awaits that it is up, in about three seconds. Its configuration and what it said
  /// are in the exception if it does not come up.
  explicit RabbitmqBroker(RabbitmqSetup setup = {});

  /// What the plugin needs to be told; also while the broker is down.
  [[nodiscard]] RabbitmqOptions options() const { return node_options(node_, setup_); }
  /// Where the set-up says that clients come: by TLS, or not.
  [[nodiscard]] int port() const { return options().port; }
  [[nodiscard]] const RabbitmqNode& node() const { return node_; }
  [[nodiscard]] const TempFolder& folder() const { return folder_; }
  [[nodiscard]] pid_t pid() const { return process_ ? process_->pid() : 0; }
  [[nodiscard]] bool running() { return process_ && process_->running(); }
  /// What it wrote since it was started, its last lines.
  [[nodiscard]] std::string log() const;

  /// rabbitmqctl with these words; takes half a second.
  [[nodiscard]] ProgramResult command(const std::vector<std::string>& words) const {
    return rabbitmqctl(node_, words);
  }
  /// Erlang expressions, evaluated in the broker; takes milliseconds. The value as Erlang prints
  /// it.
  std::string eval(const std::string& expressions) const { return evaluate(node_, expressions); }

  /// As kill -9; returns when it has ended.
  void kill();
  /// Ends it as rabbitmqctl stop does, in order; returns when it has ended.
  void stop();
  /// Starts it again, on the same ports and with what its folder holds; kills it first if it runs.
  void restart();
  void pause() const;  ///< SIGSTOP
  void resume() const; ///< SIGCONT

 private:
  friend class RabbitmqCluster;
  /// A node of a cluster, not yet started.
  RabbitmqBroker(RabbitmqSetup setup, std::shared_ptr<Epmd> epmd, const std::string& name);

  void take_ports();
  void launch();
  void await_startup();
  [[nodiscard]] bool ready();
  [[nodiscard]] bool found_port_taken() const;

  RabbitmqSetup setup_;
  TempFolder folder_{kBrokerFolder};
  std::thread::id starter_ = std::this_thread::get_id();
  std::shared_ptr<Epmd> epmd_;
  std::vector<ReservedPort> ports_;
  RabbitmqNode node_;
  Descriptor notices_; // where it says that it is up
  std::string notices_name_;
  std::unique_ptr<ChildProcess> process_; // ends before its folder and its ports are given up
};

} // namespace swapmq::live
