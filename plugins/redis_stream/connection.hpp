// SPDX-License-Identifier: MIT
//
// A connection: requests out, replies in, in the same order. Whatever it throws, ConnectionLost or
// a TIMEOUT while replies are due, leaves it of no further use: who has it drops it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "commands.hpp"
#include "network/transport.hpp"
#include "read_answer.hpp"
#include "reply.hpp"

namespace swapmq::redis {

class Connection {
 public:
  /// `silence`: how long the server may say nothing where an answer is due.
  Connection(std::unique_ptr<network::Transport> transport, const network::Endpoint& endpoint,
             std::chrono::milliseconds silence);

  /// Requests that wait to be sent.
  Commands& out() { return out_; }
  [[nodiscard]] std::size_t unsent() const { return out_.size() - out_at_; }
  /// Of all bytes that were ever appended to out(), how many the kernel took.
  [[nodiscard]] uint64_t bytes_sent() const { return bytes_sent_; }
  /// How many there will be once all that is in out() is sent.
  [[nodiscard]] uint64_t bytes_queued() const { return bytes_sent_ + unsent(); }

  /// Sends what it can without waiting; whether that was anything.
  bool push();
  /// Sends all. Throws ConnectionLost, Failure(TIMEOUT).
  void flush(backend::Deadline deadline);

  /// Takes in what is there; does not wait. Whether that was anything.
  bool receive();
  /// Waits until something was taken in or sent. Throws ConnectionLost, also when the server was
  /// silent for too long; Failure(TIMEOUT).
  /// `at_least`: how many bytes will come in any case; it may sleep until they are there.
  void await(backend::Deadline deadline, std::size_t at_least = 1);
  static constexpr std::size_t kSmall = std::size_t{8} << 20;
  /// The next reply of those that were taken in.
  bool next(Brief& brief) { return reader_.next(brief); }
  /// The next one is an answer to a read; what is here of it already is taken at once.
  ReadAnswer::State begin(ReadAnswer& answer) { return answer.begin(reader_.take_rest()); }
  /// Takes in what is there of it; does not wait. False: nothing was.
  bool receive(ReadAnswer& answer);

  /// Sends what is unsent and awaits the next reply. Throws as await(); ConnectionLost, too, if it
  /// is larger than what most replies may be.
  OwnedReply read(backend::Deadline deadline, std::size_t most_bytes = kSmall);
  void read(Brief& brief, backend::Deadline deadline);
  /// The same where the server was told to take so much time: it is silent only after that.
  OwnedReply read_late(backend::Deadline deadline, std::chrono::milliseconds late);

  /// Whether the server has closed it meanwhile, or said what nobody asked for and would be taken
  /// for the next answer. For idle ones, before they are used again.
  [[nodiscard]] bool is_stale();

  [[nodiscard]] const network::Transport& transport() const { return *transport_; }
  /// The server's number of this connection, for CLIENT UNBLOCK.
  int64_t id = 0;
  /// A bit for each script that was sent over this connection: EVALSHA will find it.
  uint32_t scripts_sent = 0;

 private:
  [[noreturn]] void give_up(backend::Deadline deadline) const;

  std::unique_ptr<network::Transport> transport_;
  const network::Endpoint& endpoint_; // of the options, which outlive all connections
  std::chrono::milliseconds silence_;
  Commands out_;
  std::size_t out_at_ = 0; // up to where it was sent
  uint64_t bytes_sent_ = 0;
  ReplyReader reader_;
  backend::Deadline::Clock::time_point last_used_;
};

} // namespace swapmq::redis
