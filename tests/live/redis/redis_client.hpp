// SPDX-License-Identifier: MIT
//
// A connection to a Redis server by which a test looks and commands; not what is tested.
#pragma once

#include <string>
#include <vector>

#include "../support/deadline.hpp"
#include "../support/descriptor.hpp"
#include "resp.hpp"

namespace swapmq::live {

class RedisClient {
 public:
  /// To a Unix socket. Throws std::runtime_error where nobody listens.
  explicit RedisClient(const std::string& socket_path);

  /// Sends a command and awaits its reply. Throws std::runtime_error when the connection ends or
  /// nothing comes until then.
  resp::Value ask(const std::vector<std::string>& words,
                  milliseconds timeout = milliseconds(10'000));

 private:
  void send(std::string_view bytes, Clock::time_point deadline);
  void receive(Clock::time_point deadline);

  Descriptor socket_;
  std::string received_;
};

} // namespace swapmq::live
