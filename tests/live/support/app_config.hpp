// SPDX-License-Identifier: MIT
//
// An application, as it is configured by its operator.
#pragma once

#include <string>

#include "open_queue.hpp"

namespace swapmq::live {

/// How the tests have it configured. `Options` are those of its backend: kBackend is its name,
/// json() what it is told.
template <class Options>
struct ConfigOf {
  Options broker;
  std::string more{};     ///< further members of "message_queue", each with a comma before it
  std::string queues{};   ///< the members of "queues"
  std::string log_file{}; ///< empty: no log

  [[nodiscard]] std::string json() const {
    const std::string backend = '"' + std::string(Options::kBackend) + '"';
    return R"({"message_queue":{"type":)" + backend + "," + backend + ":" + broker.json() + more +
           R"(},"queues":{)" + queues + R"(},"plugin_path":[")" +
           std::string(SWAPMQ_TEST_BACKENDS) + R"("],"log":)" +
           (log_file.empty() ? R"({"level":"off"})"
                             : R"({"level":"info","file":")" + log_file + R"("})") +
           "}";
  }
};

template <class Options>
MessageQueue open_queue(const ConfigOf<Options>& config) {
  return open_queue(config.json());
}

} // namespace swapmq::live
