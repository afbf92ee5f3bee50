// SPDX-License-Identifier: MIT
//
// A connection that comes back: made when it is needed, again when it was lost, with exponential
// backoff and jitter between attempts, and after those that did not last.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>

#include "connection.hpp"
#include "dialer.hpp"

namespace swapmq::redis {

/// Used by one thread at a time.
class Link {
 public:
  Link(Dialer& dialer, const backend::Host& host) : dialer_(dialer), host_(host) {}

  /// The connection, made if there is none. Throws what the last attempt threw; Interrupted if
  /// `wake`, which may be null, is raised while it has to wait.
  Connection& open(backend::Deadline deadline, const Wake* wake = nullptr);
  /// The connection if there is one, as it is.
  [[nodiscard]] Connection* live() { return connection_.get(); }
  void drop() noexcept { connection_.reset(); }
  /// The same where that is the server's doing: if it did so early, there is a pause before the
  /// next.
  void broke() noexcept;

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
  void await_turn(backend::Deadline deadline, const Wake* wake) const;
  void failed(const backend::Failure& failure);
  void pause(milliseconds delay);

  Dialer& dialer_;
  const backend::Host& host_;
  std::unique_ptr<Connection> connection_;
  bool connected_before_ = false;
  uint32_t failures_ = 0;   // in a row
  bool lost_early_ = false; // the last one, as soon as it was made
  backend::Deadline::Clock::time_point made_at_{};
  std::optional<backend::Failure> last_failure_;
  backend::Deadline::Clock::time_point not_before_{};
};

} // namespace swapmq::redis
