// SPDX-License-Identifier: MIT
//
// A server that speaks the protocol of Redis and says what a test wants, however wrong.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../support/deadline.hpp"

namespace swapmq::live {

/// What is sent for one command: raw bytes; none at all where all is empty.
struct Answer {
  Answer(std::string raw = {}, bool then_close = false)
      : bytes(std::move(raw)), close(then_close) {}
  Answer(const char* raw) : bytes(raw) {}

  std::string bytes;
  std::string endless{}; ///< sent after them again and again, for as long as the client reads
  bool close = false;    ///< the connection, after the bytes
};

using Command = std::vector<std::string>; ///< its words, the first in upper case

/// The answer to a command; nothing: that of a server of the version. Called on the server's
/// thread, one command at a time.
using Script = std::function<std::optional<Answer>(const Command&)>;

/// What a server of a version (e.g. "7.0.15") says to what clients begin with: HELLO, AUTH, SELECT,
/// CLIENT, PING, INFO; an error to all else.
[[nodiscard]] Answer usual_answer(const Command& command, const std::string& version);

/// Listens on a port of 127.0.0.1 until destroyed, on a thread that is joined then. Functions may
/// be called from any thread. A client that sends what is no command is cut off.
class FakeServer {
 public:
  explicit FakeServer(Script script = {}, std::string version = "7.0.15");
  ~FakeServer();
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  [[nodiscard]] int port() const;
  /// Sends this to every client that is connected, though none asked.
  void say(const std::string& bytes);
  /// The same, to those clients whose last command was this word.
  void say_to(const std::string& word, const std::string& bytes);
  /// Every command that came, in order.
  [[nodiscard]] std::vector<Command> commands() const;
  /// Awaits that this word began at least so many commands; whether it did in time.
  [[nodiscard]] bool await_command(const std::string& word, std::size_t count = 1,
                                   milliseconds timeout = milliseconds(10'000)) const;
  [[nodiscard]] std::uint64_t accepted() const; ///< connections
  [[nodiscard]] std::uint64_t open() const;     ///< connections, now
  [[nodiscard]] std::uint64_t sent() const;     ///< bytes, to all
  /// What came that is no command: how many connections.
  [[nodiscard]] std::uint64_t not_understood() const;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

/// What an HTTP server says to anything.
[[nodiscard]] Script http_server();
/// Accepts, reads and never answers.
[[nodiscard]] Script silence();

} // namespace swapmq::live
