// SPDX-License-Identifier: MIT
#include "connection.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "network/deadlines.hpp"
#include "network/failures.hpp"

namespace swapmq::redis {

using backend::Deadline;
using backend::Failure;
using network::ConnectionLost;
using std::chrono::milliseconds;
using Clock = Deadline::Clock;

namespace {

constexpr std::size_t kReceiveBytes = 32 * 1024;
// A buffer that has grown beyond this for a large message is given back.
constexpr std::size_t kKeptBuffer = 1024 * 1024;
// A connection that was used so shortly ago is taken to be alive.
constexpr milliseconds kFresh(50);
// What is here when the deadline passes is taken all the same; but a server that never ends an
// answer always has something here.
constexpr milliseconds kOvertime(250);

} // namespace

Connection::Connection(std::unique_ptr<network::Transport> transport,
                       const network::Endpoint& endpoint, milliseconds silence)
    : transport_(std::move(transport)),
      endpoint_(endpoint),
      silence_(silence),
      reader_(endpoint.text()),
      last_used_(Clock::now()) {}

bool Connection::push() {
  if (unsent() == 0) return false;
  const std::string_view rest = out_.bytes().substr(out_at_);
  const std::size_t sent = transport_->send(rest.data(), rest.size());
  out_at_ += sent;
  bytes_sent_ += sent;
  if (sent == rest.size()) {
    out_at_ = 0;
    out_.clear(kKeptBuffer);
  }
  return sent > 0;
}

void Connection::flush(Deadline deadline) {
  push();
  while (unsent() > 0) await(deadline);
}

bool Connection::receive() {
  std::array<char, kReceiveBytes> buffer; // NOLINT: written before it is read
  const std::size_t got = transport_->receive(buffer.data(), buffer.size());
  if (got > 0) reader_.feed(buffer.data(), got);
  return got > 0;
}

bool Connection::receive(ReadAnswer& answer) {
  const std::span<char> room = answer.room();
  const std::size_t got = transport_->receive(room.data(), room.size());
  if (got > 0) answer.received(got);
  return got > 0;
}

void Connection::await(Deadline deadline, std::size_t at_least) {
  // The clock is read once where the answer comes at once: it shows in the latency of one message.
  last_used_ = Clock::now();
  if (last_used_ > deadline.at() + kOvertime) give_up(deadline);
  const Deadline until = network::deadline_at(std::min(deadline.at(), last_used_ + silence_));
  if (unsent() > 0) {
    if (push() || receive()) return;
    if (!transport_->wait(true, until, nullptr)) give_up(deadline);
    return;
  }
  transport_->wake_at(at_least);
  std::array<char, kReceiveBytes> buffer; // NOLINT: written before it is read
  for (Clock::time_point now = last_used_; now < until.at(); now = Clock::now()) {
    const auto left = until.at() - now;
    const std::size_t got = transport_->receive_patiently(buffer.data(), buffer.size(), left);
    if (got > 0) return reader_.feed(buffer.data(), got);
  }
  give_up(deadline);
}

void Connection::give_up(Deadline deadline) const {
  if (deadline.passed()) {
    throw Failure(SWAPMQ_TIMEOUT, endpoint_.title() + " did not answer in time",
                  SWAPMQ_ERROR_RETRYABLE);
  }
  throw ConnectionLost(endpoint_.title() + " said nothing for " + std::to_string(silence_.count()) +
                       " ms where an answer was due");
}

OwnedReply Connection::read(Deadline deadline, std::size_t most_bytes) {
  flush(deadline);
  for (;;) {
    if (OwnedReply reply = reader_.next(most_bytes)) return reply;
    await(deadline);
  }
}

void Connection::read(Brief& brief, Deadline deadline) {
  flush(deadline);
  while (!reader_.next(brief)) await(deadline);
}

OwnedReply Connection::read_late(Deadline deadline, milliseconds late) {
  const milliseconds usual = std::exchange(silence_, silence_ + late);
  OwnedReply reply = read(deadline); // which leaves nothing of use if it throws
  silence_ = usual;
  return reply;
}

bool Connection::is_stale() {
  if (reader_.has_rest()) return true;
  if (Clock::now() - last_used_ < kFresh) return false;
  char byte = 0;
  try {
    return transport_->receive(&byte, 1) > 0;
  } catch (const ConnectionLost&) {
    return true;
  }
}

} // namespace swapmq::redis
