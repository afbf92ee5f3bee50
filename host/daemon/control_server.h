// SPDX-License-Identifier: MIT
//
// Serves a host's control socket: a request is one line of JSON, the answer is lines, after the
// last of which the connection is closed. Whatever is at the other end, this never blocks, and
// everything that it keeps has a bound.
#pragma once

#include <poll.h>

#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/control_socket.h"

namespace swapmq::host {

/// What a request came to. Not thread-safe; none of it blocks.
class Errand {
 public:
  using Clock = std::chrono::steady_clock;

  Errand() = default;
  virtual ~Errand() = default;
  Errand(const Errand&) = delete;
  Errand& operator=(const Errand&) = delete;

  /// The lines that have come up, each with its newline; often none. `may_skip`: whoever asked has
  /// not read the earlier ones, and needs no more of those that only tell how it goes.
  virtual std::string go_on(Clock::time_point now, bool may_skip) = 0;
  /// Whether the last line was handed out.
  [[nodiscard]] virtual bool over() const = 0;
};

/// One that is over as soon as it has said why.
class Refusal final : public Errand {
 public:
  explicit Refusal(Error why) : why_(std::move(why)) {}
  std::string go_on(Clock::time_point now, bool may_skip) override;
  [[nodiscard]] bool over() const override { return over_; }

 private:
  const Error why_;
  bool over_ = false;
};

/// Not thread-safe.
class ControlServer {
 public:
  using Clock = Errand::Clock;
  /// Begins to answer a line.
  using Begin =
      std::function<std::unique_ptr<Errand>(std::string_view line, Clock::time_point now)>;

  static constexpr std::size_t most_connections = 16;
  static constexpr std::size_t most_line_bytes = 16 * 1024;
  static constexpr std::size_t most_waiting_bytes = 1024 * 1024; ///< of answers that nobody reads
  static constexpr std::chrono::seconds request_patience{10};    ///< until the line is there
  static constexpr std::chrono::seconds reader_patience{10}; ///< until some of an answer is read

  ControlServer(ControlSocket socket, Begin begin);
  ~ControlServer();

  /// Adds what is to be polled.
  void add_descriptors(std::vector<pollfd>& to) const;
  /// Serves everybody as far as that goes. After a poll, and from time to time: see due().
  void serve(Clock::time_point now);
  /// When to serve, even if no descriptor is ready.
  [[nodiscard]] Clock::time_point due(Clock::time_point now) const;
  [[nodiscard]] std::size_t connections() const { return connections_.size(); }

 private:
  struct Connection;

  void accept_all(Clock::time_point now);
  bool serve_one(Connection& one, Clock::time_point now);
  bool read_request(Connection& one, Clock::time_point now);
  static bool write_answer(Connection& one, Clock::time_point now);

  const ControlSocket socket_;
  const Begin begin_;
  std::list<Connection> connections_;
};

} // namespace swapmq::host
