// SPDX-License-Identifier: MIT
//
// Makes connections: to the server, through its login, to one that is known to be new enough.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "connection.hpp"
#include "options.hpp"
#include "resolver.hpp"
#include "tls.hpp"

namespace swapmq::redis {

/// What the sessions of a backend share to connect. Any thread.
class Dialer {
 public:
  /// `client_name` is what CLIENT LIST will show.
  Dialer(const Options& options, std::string client_name);

  /// Throws Failure; without RETRYABLE it is no use to try again with these options. Interrupted if
  /// `wake`, which may be null, is raised.
  std::unique_ptr<Connection> dial(backend::Deadline deadline, const Wake* wake);

  [[nodiscard]] const Options& options() const { return options_; }

 private:
  void log_in(Connection& connection, backend::Deadline deadline) const;
  void expect_authenticated(const Reply& reply) const;
  void read_hello(Connection& connection, const Reply& reply) const;
  [[noreturn]] void refuse(swapmq_status status, const std::string& what) const;
  [[noreturn]] void refused(std::string_view doing, const Reply& reply) const;

  const Options& options_; // the backend's
  std::string client_name_;
  Resolver resolver_;
  std::optional<TlsContext> tls_;
};

} // namespace swapmq::redis
