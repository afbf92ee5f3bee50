// SPDX-License-Identifier: MIT
//
// A connection that is logged in: frames out, frames in, heartbeats both ways. What concerns the
// connection itself (its end, alarms, heartbeats) it does on the way. Whatever it throws leaves it
// of no further use: who has it drops it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "frames.hpp"
#include "network/deadlines.hpp"
#include "network/endpoint.hpp"
#include "network/failures.hpp"
#include "network/transport.hpp"
#include "network/wake.hpp"
#include "output.hpp"

namespace swapmq::rabbitmq {

using std::chrono::milliseconds;

/// What the two agreed on when they connected.
struct Tuning {
  uint32_t frame_max = FrameReader::kMaxFrame;
  std::chrono::seconds heartbeat{0}; // 0: none
};

/// As the broker says it of itself.
struct BrokerVersion {
  int major = 0;
  int minor = 0;

  [[nodiscard]] bool is_at_least(const BrokerVersion& other) const {
    return major != other.major ? major > other.major : minor >= other.minor;
  }
};

/// A number that this process did not give before: never 0.
uint64_t next_serial();

class Connection {
 public:
  using Clock = backend::Deadline::Clock;

  Connection(std::unique_ptr<network::Transport> transport, const network::Endpoint& endpoint);

  void tuned(const Tuning& tuning);
  [[nodiscard]] const Tuning& tuning() const { return tuning_; }
  BrokerVersion version;       // known once it is logged in
  milliseconds patience{5000}; // how long the broker may be silent where an answer is due

  Output& out() { return out_; }
  [[nodiscard]] std::size_t unsent() const { return out_.size() - out_at_; }
  /// Of all bytes that were ever appended to out(), how many the kernel took.
  [[nodiscard]] uint64_t bytes_sent() const { return bytes_sent_; }
  [[nodiscard]] uint64_t bytes_queued() const { return bytes_sent_ + unsent(); }
  [[nodiscard]] uint64_t bytes_received() const { return bytes_received_; }

  /// Sends what it can without waiting; whether that was anything.
  bool push();
  /// Takes in what is there; does not wait. Whether that was anything.
  bool receive();
  /// Whether it took all that there was.
  [[nodiscard]] bool is_drained() const { return drained_; }
  /// The next frame of a channel (0 only before tuned()) of those that were taken in. Throws
  /// ConnectionLost if the broker closed the connection.
  bool next(Frame& frame);
  /// What the last frame's payload is in, for who goes on using it.
  const std::shared_ptr<Block>& keep() { return reader_.keep(); }
  /// Waits until something was taken in or sent, or the deadline; heartbeats go on meanwhile.
  /// False: the deadline passed. Throws ConnectionLost, Interrupted if `wake` is raised.
  bool wait(backend::Deadline deadline, const network::Wake* wake = nullptr);
  /// The same where an answer is due: throws ConnectionLost also if nothing comes for as long as
  /// `patience`, unless that is by an alarm of the broker.
  bool await(backend::Deadline deadline);
  /// What await() throws.
  [[nodiscard]] network::ConnectionLost is_silent() const;
  /// Heartbeats, if they are due. Throws ConnectionLost if the broker's are missing.
  void beat();
  /// When beat() has something to do.
  [[nodiscard]] Clock::time_point next_beat() const;

  /// Sends what is unsent and awaits the next frame. Throws as await(); Failure(TIMEOUT).
  Frame read(backend::Deadline deadline);

  /// Whether it is of no use any more, or its end has come: for idle ones.
  [[nodiscard]] bool is_stale();

  /// Why the broker takes no publishes now (connection.blocked); empty: it does.
  [[nodiscard]] const std::string& blocked() const { return blocked_; }
  [[nodiscard]] const network::Endpoint& endpoint() const { return endpoint_; }
  /// Different for every connection of this process, and from its channels'.
  [[nodiscard]] uint64_t serial() const { return serial_; }
  /// What was received and is no whole frame yet.
  [[nodiscard]] std::string_view rest() const { return reader_.rest(); }

  /// Says goodbye, and awaits the answer until the deadline: then all channels are over, and the
  /// broker has taken back what they held.
  void close(backend::Deadline deadline) noexcept;

  /// What is known of a channel; it may be used by one purpose only.
  struct Channel {
    bool open = false;
    uint64_t published = 0; // how many confirms there will have been, in confirm mode
    uint64_t serial = 0;    // different whenever it is opened
  };
  Channel& channel(uint16_t number) { return channels_.at(number); }

 private:
  void on_connection_frame(const Frame& frame);

  std::unique_ptr<network::Transport> transport_;
  const network::Endpoint& endpoint_; // of the options, which outlive all connections
  const uint64_t serial_;
  Tuning tuning_;
  bool tuned_ = false;
  bool closed_ = false; // the broker answered our goodbye
  Output out_;
  std::size_t out_at_ = 0; // up to where it was sent
  uint64_t bytes_sent_ = 0;
  uint64_t bytes_received_ = 0;
  FrameReader reader_;
  bool drained_ = false;
  std::string blocked_;
  Clock::time_point last_sent_;
  Clock::time_point last_received_;
  std::array<Channel, 3> channels_;
};

/// What connection.close and channel.close say.
struct Closing {
  uint16_t code = 0;
  std::string text;
  amqp_method_number_t about = 0; // the method that was wrong; 0: none
};

/// The closing that `frame` is: its method must be connection.close or channel.close.
Closing closing_of(const Frame& frame);

/// The fields of a method, until the next call on this thread. Throws ConnectionLost if they are
/// not what they should be.
void* decode_fields(const Frame& frame);
template <class Fields>
const Fields& fields_of(const Frame& frame) {
  return *static_cast<const Fields*>(decode_fields(frame));
}

} // namespace swapmq::rabbitmq
