// SPDX-License-Identifier: MIT
//
// How a RabbitMQ broker of the tests is set up, and what the plugin is told to reach it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../support/certificates.hpp"

namespace swapmq::live {

struct RabbitmqSetup {
  enum class Listen { tcp, tls, both };

  Listen listen = Listen::tcp;
  ServerCertificate certificate = ServerCertificate::good; ///< with TLS
  bool management = false;            ///< the plugin with the HTTP API; 1.2 s of the start
  std::string queue_type = "quorum";  ///< for the options: quorum, classic
  int heartbeat_seconds = 0;          ///< for the options; 0: says nothing of it
  std::vector<std::string> plugins{}; ///< further ones of RabbitMQ, with all those they need
  /// Further settings of the application rabbit, as Erlang terms: "{consumer_timeout, 5000}". They
  /// stand in advanced.config; of two with one name the later counts.
  std::vector<std::string> rabbit{};
};

/// The user with whom everybody comes, an administrator.
inline constexpr std::string_view kRabbitmqUser = "queues";
/// With what a URL must escape, so that it is.
inline constexpr std::string_view kRabbitmqPassword = "s3cret/with:all@of%it";

/// A set-up by its name; nothing if there is none of that name.
[[nodiscard]] std::optional<RabbitmqSetup> rabbitmq_setup(std::string_view name);
[[nodiscard]] const std::vector<std::string>& rabbitmq_setup_names();

/// The options of the plugin.
struct RabbitmqOptions {
  static constexpr std::string_view kBackend = "rabbitmq";

  std::string host = "127.0.0.1";
  int port = 5672;
  std::string username{kRabbitmqUser}, password{kRabbitmqPassword};
  std::string virtual_host = "/";
  std::string queue_type{};
  bool tls = false;
  std::string ca_file{}, certificate_file{}, key_file{}, server_name{};
  std::string management_url{}; ///< with the same user; empty: no management
  int heartbeat_seconds = 0;    ///< 0: not said
  std::string more{};           ///< further members as they stand in JSON: "\"prefetch\":1"

  /// As a JSON object.
  [[nodiscard]] std::string json() const;
  /// amqp:// or amqps://, with user and password. It does not say which certificates.
  [[nodiscard]] std::string url() const;
};

} // namespace swapmq::live
