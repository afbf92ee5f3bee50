// SPDX-License-Identifier: MIT
//
// One broker for many tests, one after the other or at a time: a process of its own keeps it, and a
// folder tells where it is.
#pragma once

#include <string>

#include "rabbitmq_node.hpp"
#include "rabbitmq_setup.hpp"

namespace swapmq::live {

/// Starts it and returns once it is up. It serves every named set-up at once. It ends when told,
/// and when the process that started this one (ctest, a shell) ends; what another left in the
/// folder does not matter, and one that runs there is given half a minute to end. Throws
/// std::runtime_error, std::system_error.
void start_shared_broker(const std::string& folder);

/// Ends it and returns when it has ended; whether there was one.
bool stop_shared_broker(const std::string& folder);

/// A fresh virtual host of the shared broker, deleted at the end with all that is in it.
class SharedVirtualHost {
 public:
  /// Throws std::runtime_error where no broker runs there.
  SharedVirtualHost(const std::string& folder, const RabbitmqSetup& setup);
  ~SharedVirtualHost();
  SharedVirtualHost(const SharedVirtualHost&) = delete;
  SharedVirtualHost& operator=(const SharedVirtualHost&) = delete;

  [[nodiscard]] const RabbitmqOptions& options() const { return options_; }
  [[nodiscard]] const RabbitmqNode& node() const { return node_; }

 private:
  RabbitmqNode node_;
  RabbitmqOptions options_;
};

} // namespace swapmq::live
