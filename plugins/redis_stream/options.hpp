// SPDX-License-Identifier: MIT
//
// The options of the redis_stream backend: their JSON Schema, their defaults, their parser.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace swapmq::redis {

using std::chrono::milliseconds;

/// Where the server is: a Unix socket if `unix_path` is set, else host and port.
struct Endpoint {
  std::string host = "127.0.0.1";
  uint16_t port = 6379;
  std::string unix_path;
  bool tls = false;
  uint64_t keepalive_seconds = 15; // over TCP; 0: no probes

  /// For logs and errors; never with a secret.
  [[nodiscard]] std::string text() const;
};

struct TlsOptions {
  std::string ca_file; // PEM; empty: those that the system trusts
  std::string certificate_file;
  std::string key_file;
  std::string server_name; // empty: the endpoint's host
  bool verify = true;
};

struct Options {
  Endpoint endpoint;
  TlsOptions tls;
  uint32_t database = 0;
  std::string username; // empty: the default user
  std::string password; // empty: no AUTH
  milliseconds connection_timeout{5000};
  uint32_t max_retry_attempts = 3;
  milliseconds retry_delay{100};
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
  milliseconds max_retry_delay{5000};
};

/// JSON Schema (draft 4) of the options object.
extern const char* const kOptionsSchema;

/// Throws Failure(INVALID_ARGUMENT) that names the key.
Options parse_options(std::string_view json);

} // namespace swapmq::redis
