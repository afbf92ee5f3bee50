// SPDX-License-Identifier: MIT
//
// amqp:// and amqps:// URLs, and that of the management API. What is thrown is
// Failure(INVALID_ARGUMENT), whose text never quotes the URL, which may hold a password.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "network/endpoint.hpp"
#include "options.hpp"

namespace swapmq::rabbitmq {

// AMQP's short strings; the password is RabbitMQ's to bound.
inline constexpr std::size_t kMaxName = 255;
inline constexpr std::size_t kMaxPassword = 4096;
inline constexpr std::size_t kMaxUrl = 8192;

/// The port of AMQP.
constexpr uint16_t default_port(bool tls) { return tls ? 5671 : 5672; }

/// `option`: which it is, for errors; `tls`: the options ask for TLS whatever the URL says.
Broker broker_of(std::string_view url, const std::string& option, bool tls);

/// Where the management API is, from its http:// or https:// URL.
network::Endpoint management_endpoint(std::string_view url);
/// The same URL as scheme://host:port.
std::string management_url(std::string_view url);

} // namespace swapmq::rabbitmq
