// SPDX-License-Identifier: MIT
//
// What only RabbitMQ's management API tells: the list of queues, and sizes beyond what is ready.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "network/resolver.hpp"
#include "network/tls.hpp"
#include "options.hpp"
#include "swapmq/backend.hpp"

namespace swapmq::rabbitmq {

/// Any thread.
class ManagementClient {
 public:
  explicit ManagementClient(const Options& options);

  /// What is delivered and not settled, as the broker counted it some seconds ago; nothing: it has
  /// not counted it yet, or there is no such queue. Throws Failure.
  std::optional<uint64_t> unacked(const std::string& queue, backend::Deadline deadline) const;
  /// All queues of the virtual host, by their names at the broker, with what is ready in them.
  struct Listed {
    std::string name;
    uint64_t ready = 0;
  };
  std::vector<Listed> list(backend::Deadline deadline) const;

 private:
  std::string get(const std::string& target, backend::Deadline deadline) const;

  const Options& options_; // the backend's
  const network::Endpoint endpoint_;
  std::string queues_;                 // the path of the virtual host's queues
  mutable network::Resolver resolver_; // any thread
  std::optional<network::TlsContext> tls_;
};

} // namespace swapmq::rabbitmq
