// SPDX-License-Identifier: MIT
//
// A session's connection for everything but being a consumer.
#pragma once

#include <utility>

#include "broker_error.hpp"
#include "connection.hpp"
#include "dialer.hpp"
#include "network/failures.hpp"
#include "network/link.hpp"

namespace swapmq::rabbitmq {

using Link = network::Link<Connection, Dialer>;

/// Runs work(connection). A channel that the broker closed leaves the connection as good as it was;
/// after anything else that is thrown it is dropped.
template <class Work>
auto over(Link& link, backend::Deadline deadline, Work&& work) {
  Connection& connection = link.open(deadline);
  try {
    return std::forward<Work>(work)(connection);
  } catch (const network::ConnectionLost&) {
    link.broke();
    throw;
  } catch (const ChannelClosed&) {
    throw;
  } catch (...) { // such as a deadline that passed
    link.drop();
    throw;
  }
}

/// Heartbeats while it is not used. A connection that is lost then is made again with its next use.
inline void keep_alive(Link& link, const backend::Host& host) {
  if (link.live() == nullptr) return;
  try {
    link.live()->beat();
  } catch (const network::ConnectionLost& lost) {
    host.log(SWAPMQ_LOG_WARN, lost.what());
    link.broke();
  }
}

} // namespace swapmq::rabbitmq
