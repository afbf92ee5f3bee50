// SPDX-License-Identifier: MIT
//
// A broker that speaks AMQP 0-9-1 and says what a test wants, however wrong.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "../support/deadline.hpp"
#include "amqp_bytes.hpp"

namespace swapmq::live {

/// What a client sent: a method; with what follows it, if it publishes.
struct AmqpRequest {
  amqp::Method method = amqp::kProtocolHeader;
  int channel = 0;
  std::string fields{};
  std::string body{};
  std::size_t body_frames = 0;
  /// Which one of this method it is, from 1, since its channel was opened: of a publish, the tag
  /// of its confirm.
  std::uint64_t number = 1;
};

/// What is sent for one request: raw bytes; none at all where all is empty.
struct AmqpReply {
  AmqpReply(std::string raw = {}, bool then_close = false)
      : bytes(std::move(raw)), close(then_close) {}

  std::string bytes;
  std::function<std::string()> endless{}; ///< gives more of them, for as long as the client reads
  bool slowly = false; ///< all that, from now on, one byte every few milliseconds
  bool close = false;  ///< the connection, after the bytes
};

/// The reply to a request; nothing: the polite one. Called on the broker's thread, one request at
/// a time.
using AmqpScript = std::function<std::optional<AmqpReply>(const AmqpRequest&)>;

/// What a good broker says: it logs in whoever comes, confirms what is published, and has a message
/// for each consumer, "body".
[[nodiscard]] AmqpReply polite_reply(const AmqpRequest& request);

/// Listens on a port of 127.0.0.1 until destroyed, on a thread that is joined then. Functions may
/// be called from any thread. A client that sends what is no AMQP is cut off.
class FakeBroker {
 public:
  explicit FakeBroker(AmqpScript script = {});
  ~FakeBroker();
  FakeBroker(const FakeBroker&) = delete;
  FakeBroker& operator=(const FakeBroker&) = delete;

  [[nodiscard]] int port() const;
  /// Sends this to every client that is connected, though none asked.
  void say(const std::string& bytes);
  /// Closes the connections on which something endless or slow is sent.
  void end_streams();
  /// Every request that came, in order.
  [[nodiscard]] std::vector<AmqpRequest> requests() const;
  /// Awaits at least so many of these requests; whether they came in time.
  [[nodiscard]] bool await_request(amqp::Method method, std::size_t count = 1,
                                   milliseconds timeout = milliseconds(10'000)) const;
  /// The same for heartbeats.
  [[nodiscard]] bool await_heartbeats(std::size_t count, milliseconds timeout) const;
  [[nodiscard]] std::uint64_t accepted() const; ///< connections
  /// What came that is no AMQP: how many connections.
  [[nodiscard]] std::uint64_t not_understood() const;

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

} // namespace swapmq::live
