// SPDX-License-Identifier: MIT
#include "dialer.hpp"

#include <utility>

#include "login.hpp"
#include "network/deadlines.hpp"

namespace swapmq::rabbitmq {

using backend::Deadline;
using backend::Failure;

Dialer::Dialer(const Options& options, std::string name)
    : options_(options), name_(std::move(name)), max_message_bytes_(options.max_message_bytes) {
  if (options_.brokers.front().endpoint.tls) {
    tls_.emplace(options_.tls, options_.brokers.front().endpoint.plugin);
  }
}

std::string Dialer::text() const {
  const std::size_t others = options_.brokers.size() - 1;
  return "RabbitMQ at " + options_.brokers.front().endpoint.text() +
         (others > 0 ? " and " + std::to_string(others) + " more" : "");
}

std::unique_ptr<Connection> Dialer::dial(Deadline deadline, const network::Wake* wake) {
  const std::size_t count = options_.brokers.size();
  const std::size_t first = good_;
  for (std::size_t i = 0;; ++i) {
    const std::size_t index = (first + i) % count;
    try {
      auto connection = dial(options_.brokers[index], deadline, wake);
      good_ = index;
      return connection;
    } catch (const Failure&) {
      if (i + 1 == count || deadline.passed()) throw;
    }
  }
}

std::unique_ptr<Connection> Dialer::dial(const Broker& broker, Deadline deadline,
                                         const network::Wake* wake) {
  const Deadline until = network::at_most(deadline, options_.connection_timeout);
  auto transport =
      network::Transport::connect(broker.endpoint, resolver_, tls_ ? &*tls_ : nullptr, until, wake);
  auto connection = std::make_unique<Connection>(std::move(transport), broker.endpoint);
  connection->patience = options_.connection_timeout;
  log_in(*connection, broker, name_, options_.heartbeat, until);
  return connection;
}

void Dialer::learn_max_message_bytes(uint64_t most) {
  uint64_t known = max_message_bytes_;
  while (most < known && !max_message_bytes_.compare_exchange_weak(known, most)) {
  }
}

} // namespace swapmq::rabbitmq
