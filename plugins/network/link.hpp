// SPDX-License-Identifier: MIT
//
// A connection that comes back: made when it is needed, again when it was lost, paced by Reconnect.
#pragma once

#include <memory>

#include "failures.hpp"
#include "reconnect.hpp"

namespace swapmq::network {

/// A Dialer has
///   std::unique_ptr<Connection> dial(Deadline, const Wake*)   as Transport::connect() throws
///   const RetryOptions& retry() const
///   std::string text() const                                  such as "Redis at HOST:PORT"
/// and a Connection has `bool is_stale()`: the server has meanwhile closed it, or it is of no use
/// for another reason. Used by one thread at a time.
template <class Connection, class Dialer>
class Link {
 public:
  Link(Dialer& dialer, const backend::Host& host)
      : dialer_(dialer), host_(host), reconnect_(dialer.retry()) {}

  /// The connection, made if there is none. Throws what the last attempt threw; Interrupted if
  /// `wake`, which may be null, is raised while it has to wait.
  Connection& open(backend::Deadline deadline, const Wake* wake = nullptr) {
    if (connection_ != nullptr && connection_->is_stale()) broke();
    if (connection_ == nullptr) connect(deadline, wake);
    return *connection_;
  }
  /// The connection if there is one, as it is.
  [[nodiscard]] Connection* live() { return connection_.get(); }
  void drop() noexcept { connection_.reset(); }
  /// The same where that is the server's doing: if it did so early, there is a pause before the
  /// next.
  void broke() noexcept {
    if (connection_ == nullptr) return;
    connection_.reset();
    reconnect_.broke();
  }

  /// Runs work(connection); whatever it throws, the connection is gone then.
  template <class Work>
  auto use(backend::Deadline deadline, Work&& work) {
    Connection& connection = open(deadline);
    try {
      return work(connection);
    } catch (const ConnectionLost&) {
      broke();
      throw;
    } catch (...) { // such as a deadline that passed
      drop();
      throw;
    }
  }

 private:
  void connect(backend::Deadline deadline, const Wake* wake) {
    reconnect_.begin(dialer_.text());
    while (connection_ == nullptr) {
      reconnect_.await_turn(deadline, wake);
      try {
        connection_ = dialer_.dial(deadline, wake);
      } catch (const backend::Failure& failure) {
        if (!reconnect_.failed(failure, deadline)) throw; // as the kind that it is
      }
    }
    if (!reconnect_.connected()) return;
    host_.count("reconnects");
    if (!host_.logs(SWAPMQ_LOG_INFO)) return;
    host_.log(SWAPMQ_LOG_INFO, "connected again to " + dialer_.text());
  }

  Dialer& dialer_;
  const backend::Host& host_;
  Reconnect reconnect_;
  std::unique_ptr<Connection> connection_;
};

} // namespace swapmq::network
