// SPDX-License-Identifier: MIT
//
// A connection to a Redis server by which a test looks and commands; not what is tested.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "../support/deadline.hpp"
#include "../support/descriptor.hpp"
#include "resp.hpp"

namespace swapmq::live {

class RedisClient {
 public:
  /// To a Unix socket. Throws std::runtime_error where nobody listens.
  explicit RedisClient(const std::string& socket_path);
  /// By a connected socket that does not block.
  explicit RedisClient(Descriptor socket) : socket_(std::move(socket)) {}

  /// Sends a command and awaits its reply. Throws std::runtime_error when the connection ends or
  /// nothing comes until then.
  resp::Value ask(const std::vector<std::string>& words,
                  milliseconds timeout = milliseconds(10'000));
  void send(const std::vector<std::string>& words, milliseconds timeout = milliseconds(10'000));
  /// The bytes that come until the other side closes, as they are; with those of an unfinished
  /// reply before. Throws at the deadline.
  std::string rest(milliseconds timeout = milliseconds(10'000));
  /// Awaits so many bytes.
  std::string some(std::size_t count, milliseconds timeout = milliseconds(10'000));

 private:
  void send_bytes(std::string_view bytes, Clock::time_point deadline);
  /// False: the other side closed.
  bool receive(Clock::time_point deadline);

  Descriptor socket_;
  std::string received_;
};

} // namespace swapmq::live
