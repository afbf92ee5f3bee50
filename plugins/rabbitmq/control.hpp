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

} // namespace swapmq::rabbitmq
