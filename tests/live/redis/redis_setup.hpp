// SPDX-License-Identifier: MIT
//
// How a Redis server of the tests is set up, and what the plugin is told to reach it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "../support/certificates.hpp"

namespace swapmq::live {

struct RedisSetup {
  enum class Listen { tcp, tls, unix_socket };
  enum class Keep { nothing, every_second, always }; ///< the AOF, and how often it is synced
  using Certificate = ServerCertificate;

  Listen listen = Listen::tcp;
  Keep keep = Keep::nothing;
  Certificate certificate = Certificate::good; ///< with Listen::tls
  std::string user{};                          ///< the default user is off; needs a password
  std::string password{};                      ///< without a user: that of the default user
  std::uint64_t maxmemory = 0;                 ///< bytes; refuses writes beyond it; 0: none
  int port = 0;                                ///< the one to try first; 0: any
  std::vector<std::string> more{};             ///< further lines of redis.conf
  std::string preload{};                       ///< a library that it loads first
};

/// The user whom everything is allowed, on every server: the tests' own.
inline constexpr std::string_view kAdmin = "live-tests";
inline constexpr std::string_view kAdminPassword = "live-tests";

/// A set-up by its name; nothing if there is none of that name.
[[nodiscard]] std::optional<RedisSetup> redis_setup(std::string_view name);
[[nodiscard]] const std::vector<std::string>& redis_setup_names();

/// What an application with queues needs of Redis, as rules of its ACL user.
[[nodiscard]] std::string queue_permissions();

/// The options of the plugin.
struct RedisOptions {
  static constexpr std::string_view kBackend = "redis_stream";

  std::string host = "127.0.0.1";
  int port = 6379;
  int database = 0;
  std::string socket{}; ///< a Unix socket instead of host and port
  std::string user{}, password{};
  bool tls = false;
  std::string ca_file{}, certificate_file{}, key_file{}, server_name{};
  std::string durability{}; ///< none, process, power, replicated
  std::string more{};       ///< further members as they stand in JSON: "\"lease_ms\":500"

  /// As a JSON object.
  [[nodiscard]] std::string json() const;
  /// redis://, rediss:// or unix://, with user and password. It does not say which certificates.
  [[nodiscard]] std::string url() const;
};

} // namespace swapmq::live
