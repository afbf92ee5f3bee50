// SPDX-License-Identifier: MIT
//
// Makes connections: to the server, through its login, to one that is known to be new enough.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "connection.hpp"
#include "network/resolver.hpp"
#include "network/tls.hpp"
#include "options.hpp"

namespace swapmq::redis {

/// What the sessions of a backend share to connect. Any thread.
class Dialer {
 public:
  /// `client_name` is what CLIENT LIST will show.
  Dialer(const Options& options, std::string client_name);

  /// Throws Failure; without RETRYABLE it is no use to try again with these options. Interrupted if
  /// `wake`, which may be null, is raised.
  std::unique_ptr<Connection> dial(backend::Deadline deadline, const network::Wake* wake);

  [[nodiscard]] const network::RetryOptions& retry() const { return options_.retry; }
  /// The server, for messages.
  [[nodiscard]] std::string text() const { return options_.endpoint.title(); }

 private:
  void log_in(Connection& connection, backend::Deadline deadline) const;
  void expect_authenticated(const Reply& reply) const;
  void read_hello(Connection& connection, const Reply& reply) const;
  [[noreturn]] void refuse(swapmq_status status, const std::string& what) const;
  [[noreturn]] void refused(std::string_view doing, const Reply& reply) const;

  const Options& options_; // the backend's
  std::string client_name_;
  network::Resolver resolver_;
  std::optional<network::TlsContext> tls_;
};

} // namespace swapmq::redis
