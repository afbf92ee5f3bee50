// SPDX-License-Identifier: MIT
//
// A TCP proxy between a client and its server that does to their bytes what a test tells it.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "deadline.hpp"
#include "port.hpp"

namespace swapmq::live {

/// From the client to the server, and back.
enum class Way { requests, replies };

/// Passes everything on, until it is told otherwise. Functions may be called from any thread; what
/// they tell holds for connections that are open and those that come. Bytes are counted from when
/// the fault was told, over all connections; a fault that happened is over, and what follows
/// passes.
class Proxy {
 public:
  /// To a port of 127.0.0.1; where nobody listens there it drops each connection.
  explicit Proxy(int server_port);
  /// Drops what is open and joins its thread.
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  /// Where clients connect.
  [[nodiscard]] int port() const;

  /// Passes exactly `bytes` more of this way, then drops the connection that they were of; with 0,
  /// when the next byte comes, which is not passed.
  void cut_after(Way way, std::uint64_t bytes);
  /// The same, but both sides see a reset (RST) where cut_after shows an end (FIN).
  void reset_after(Way way, std::uint64_t bytes);
  /// Passes exactly `bytes` more of this way; then, when the next byte comes, it sends this instead
  /// and swallows all that comes this way in that connection.
  void replace_after(Way way, std::uint64_t bytes, std::string garbage);
  /// Passes nothing of this way any more and keeps what comes, until `release`. Of a side that
  /// closes meanwhile the other learns nothing even then: so do networks that come back too late,
  /// and a broker may drop what came at once before a goodbye.
  void hold(Way way);
  /// The same for the connections that are open now; those that come are not concerned.
  void hold_open(Way way);
  void release(Way way);
  /// What comes this way vanishes, in the connections that are open; those that come are not
  /// concerned.
  void swallow(Way way);
  /// Passes each piece this much later; 0: no more.
  void delay(Way way, milliseconds time);
  void drop_all();
  /// Accepts connections and drops them at once; or no more.
  void refuse(bool whether);
  /// Takes back what was told of faults; what was held is passed on.
  void heal();

  [[nodiscard]] std::uint64_t bytes(Way way) const; ///< passed on
  [[nodiscard]] std::uint64_t held(Way way) const;  ///< taken from one side and not passed on
  [[nodiscard]] std::uint64_t accepted() const;     ///< connections, refused ones not counted
  [[nodiscard]] std::uint64_t open() const;
  [[nodiscard]] std::uint64_t faults() const; ///< cuts, resets and replacements that happened

  /// Awaits that a condition holds of the above; whether it did in time.
  template <class Condition>
  bool await_that(const Condition& holds, milliseconds timeout = milliseconds(10'000)) const {
    const auto deadline = Clock::now() + timeout;
    std::uint64_t seen = changes();
    while (!holds(*this)) {
      if (!await_change(seen, deadline)) return holds(*this);
    }
    return true;
  }

 private:
  class Loop;
  [[nodiscard]] std::uint64_t changes() const;
  /// Awaits more changes than were seen; false at the deadline.
  bool await_change(std::uint64_t& seen, Clock::time_point deadline) const;

  std::unique_ptr<Loop> loop_;
};

} // namespace swapmq::live
