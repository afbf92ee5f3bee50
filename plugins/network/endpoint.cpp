// SPDX-License-Identifier: MIT
#include "endpoint.hpp"

namespace swapmq::network {

std::string Endpoint::text() const {
  if (!unix_path.empty()) return "unix:" + unix_path;
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port) + (tls ? " (TLS)" : "");
}

} // namespace swapmq::network
