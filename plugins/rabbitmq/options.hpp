// SPDX-License-Identifier: MIT
//
// The options of the rabbitmq backend: their JSON Schema, their defaults, their parser.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "network/endpoint.hpp"
#include "network/reconnect.hpp"
#include "swapmq/backend.h"

namespace swapmq::rabbitmq {

using std::chrono::milliseconds;

enum class QueueType { quorum, classic };

/// One node, and who we are there.
struct Broker {
  network::Endpoint endpoint{.plugin = "rabbitmq",
                             .service = "RabbitMQ",
                             .plain_scheme = "amqp",
                             .tls_scheme = "amqps",
                             .port = 5672}; // 5671 with TLS
  std::string virtual_host = "/";
  std::string username = "guest";
  std::string password = "guest";
};

/// The management plugin's HTTP API.
struct Management {
  std::string url; // scheme://host:port; empty: not configured
  std::string username;
  std::string password;
};

struct Options {
  std::vector<Broker> brokers; // one at least; tried in turn
  network::TlsOptions tls;
  milliseconds connection_timeout{5000};
  network::RetryOptions retry;
  std::chrono::seconds heartbeat{30}; // 0: none
  std::string connection_name;        // empty: "swapmq:INSTANCE"
  std::string queue_prefix;
  QueueType queue_type = QueueType::quorum;
  uint32_t max_priority = 0;      // of classic queues alone
  uint32_t quorum_group_size = 0; // of quorum queues alone; 0: the broker's default
  int32_t durability = SWAPMQ_DURABILITY_POWER;
  uint64_t max_message_bytes = 134217728; // the broker's max_message_size

  // How much at a time.
  std::size_t publish_chunk = 128;
  std::size_t publish_chunk_bytes = 256 * 1024;
  std::size_t publish_window = 2048;

  // How long.
  milliseconds settle_grace{3000};
  milliseconds close_timeout{2000};

  Management management;
};

/// JSON Schema (draft 4) of the options object.
extern const char* const kOptionsSchema;

/// Throws Failure(INVALID_ARGUMENT) that names the key.
Options parse_options(std::string_view json);

} // namespace swapmq::rabbitmq
