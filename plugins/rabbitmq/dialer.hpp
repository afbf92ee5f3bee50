// SPDX-License-Identifier: MIT
//
// Makes connections: to one of the brokers, through its login.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>

#include "connection.hpp"
#include "known_delays.hpp"
#include "network/link.hpp"
#include "network/resolver.hpp"
#include "network/tls.hpp"
#include "options.hpp"

namespace swapmq::rabbitmq {

/// What the sessions of a backend share to connect. Any thread.
class Dialer {
 public:
  /// `name` is what the management page shows of each connection.
  Dialer(const Options& options, std::string name);

  /// Throws Failure; without RETRYABLE it is no use to try again with these options. Interrupted if
  /// `wake`, which may be null, is raised. Each of the brokers is tried, beginning with that which
  /// was good last.
  std::unique_ptr<Connection> dial(backend::Deadline deadline, const network::Wake* wake);

  [[nodiscard]] const network::RetryOptions& retry() const { return options_.retry; }
  [[nodiscard]] std::string text() const;
  [[nodiscard]] const Options& options() const { return options_; }

  /// The largest message that the broker takes, as far as is known.
  [[nodiscard]] uint64_t max_message_bytes() const { return max_message_bytes_; }
  void learn_max_message_bytes(uint64_t most);
  /// Which delay queues there are, as far as is known.
  [[nodiscard]] KnownDelays& known_delays() { return known_delays_; }

 private:
  std::unique_ptr<Connection> dial(const Broker& broker, backend::Deadline deadline,
                                   const network::Wake* wake);

  const Options& options_; // the backend's
  std::string name_;
  network::Resolver resolver_;
  std::optional<network::TlsContext> tls_;
  std::atomic<std::size_t> good_{0};
  std::atomic<uint64_t> max_message_bytes_;
  KnownDelays known_delays_;
};

} // namespace swapmq::rabbitmq
