// SPDX-License-Identifier: MIT
//
// Where a server is and what it is called in messages, and whom to trust there.
#pragma once

#include <cstdint>
#include <string>

namespace swapmq::network {

/// Where the server is: a Unix socket if `unix_path` is set, else host and port.
struct Endpoint {
  // What messages say of it.
  std::string plugin;       // whose options these are, such as "redis_stream"
  std::string service;      // what listens there, such as "Redis"
  std::string plain_scheme; // of URLs without TLS, such as "redis"
  std::string tls_scheme;   // with it, such as "rediss"

  std::string host = "127.0.0.1";
  uint16_t port = 0;
  std::string unix_path{};
  bool tls = false;
  uint64_t keepalive_seconds = 15; // over TCP; 0: no probes

  /// For logs and errors; never with a secret.
  [[nodiscard]] std::string text() const;
  /// The same with what listens there: "Redis at 127.0.0.1:6379".
  [[nodiscard]] std::string title() const { return service + " at " + text(); }
};

struct TlsOptions {
  std::string ca_file; // PEM; empty: those that the system trusts
  std::string certificate_file;
  std::string key_file;
  std::string server_name; // empty: the endpoint's host
  bool verify = true;
};

} // namespace swapmq::network
