// SPDX-License-Identifier: MIT
//
// An application on redis_stream, as it is configured by its operator.
#pragma once

#include <string>

#include "redis_setup.hpp"
#include "swapmq/swapmq.hpp"

namespace swapmq::live {

/// How the tests have it configured, but for where its server is.
struct AppConfig {
  RedisOptions redis;
  std::string more{};     ///< further members of "message_queue", each with a comma before it
  std::string log_file{}; ///< empty: no log

  [[nodiscard]] std::string json() const {
    return R"({"message_queue":{"type":"redis_stream","redis_stream":)" + redis.json() + more +
           R"(},"plugin_path":[")" + std::string(SWAPMQ_TEST_BACKENDS) + R"("],"log":)" +
           (log_file.empty() ? R"({"level":"off"})"
                             : R"({"level":"info","file":")" + log_file + R"("})") +
           "}";
  }
};

/// Throws swapmq::Exception.
inline MessageQueue open_queue(const AppConfig& config) {
  auto opened = MessageQueue::try_open_text(config.json(), "test");
  if (!opened) throw Exception(opened.error());
  return *std::move(opened);
}

} // namespace swapmq::live
