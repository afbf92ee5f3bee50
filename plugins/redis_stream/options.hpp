// SPDX-License-Identifier: MIT
//
// The options of the redis_stream backend: their JSON Schema, their defaults, their parser.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "network/endpoint.hpp"
#include "network/reconnect.hpp"

namespace swapmq::redis {

using std::chrono::milliseconds;

struct Options {
  network::Endpoint endpoint{.plugin = "redis_stream",
                             .service = "Redis",
                             .plain_scheme = "redis",
                             .tls_scheme = "rediss",
                             .port = 6379};
  network::TlsOptions tls;
  uint32_t database = 0;
  std::string username; // empty: the default user
  std::string password; // empty: no AUTH
  milliseconds connection_timeout{5000};
  network::RetryOptions retry;
  std::string key_prefix;
  std::string consumer_group_prefix;
  std::string consumer_id; // empty: the host's instance
  milliseconds lease{30000};
  uint32_t wait_replicas = 0; // 0: no WAIT
  milliseconds wait_timeout{1000};
  int32_t durability = 0;               // SWAPMQ_DURABILITY_*
  uint64_t max_length = 0;              // MAXLEN ~ of each XADD; 0: none
  milliseconds deduplication_window{0}; // 0: none

  // How much at a time.
  std::size_t publish_chunk = 128;
  std::size_t publish_chunk_bytes = 256 * 1024;
  std::size_t publish_window = 1024;
  std::size_t read_batch = 4096;
  std::size_t read_batch_bytes = 8 * 1024 * 1024;
  std::size_t script_batch = 500;
  std::size_t ack_batch = 512;

  // How often, and how long.
  milliseconds block{2000};
  milliseconds take_interval{200};
  milliseconds rescue_interval{1000};
  milliseconds settle_grace{3000};
  milliseconds close_timeout{2000};
};

/// JSON Schema (draft 4) of the options object.
extern const char* const kOptionsSchema;

/// Throws Failure(INVALID_ARGUMENT) that names the key.
Options parse_options(std::string_view json);

} // namespace swapmq::redis
