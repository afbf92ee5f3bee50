// SPDX-License-Identifier: MIT
#include "connection.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "deadlines.hpp"

namespace swapmq::redis {

using backend::Deadline;
using backend::Failure;
using Clock = Deadline::Clock;

namespace {

constexpr std::size_t kReceiveBytes = 32 * 1024;
// A buffer that has grown beyond this for a large message is given back.
constexpr std::size_t kKeptBuffer = 1024 * 1024;
// A connection that was used so shortly ago is taken to be alive.
constexpr milliseconds kFresh(50);

} // namespace

Connection::Connection(std::unique_ptr<Transport> transport, const Endpoint& endpoint,
                       milliseconds silence)
    : transport_(std::move(transport)),
      endpoint_(endpoint),
      silence_(silence),
      reader_(endpoint.text()),
      last_received_(Clock::now()) {}

bool Connection::push() {
  if (unsent() == 0) return false;
  std::string& buffer = out_.buffer();
  const std::size_t sent = transport_->send(buffer.data() + out_at_, buffer.size() - out_at_);
  out_at_ += sent;
  bytes_sent_ += sent;
  if (out_at_ == buffer.size()) {
    out_at_ = 0;
    buffer.clear();
    if (buffer.capacity() > kKeptBuffer) buffer.shrink_to_fit();
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
  if (got > 0) take_in(buffer.data(), got);
  return got > 0;
}

void Connection::take_in(const char* data, std::size_t size) {
  reader_.feed(data, size);
  last_received_ = Clock::now();
}

void Connection::await(Deadline deadline, std::size_t at_least) {
  const Deadline until = at_most(deadline, silence_);
  if (unsent() > 0) {
    if (push() || receive()) return;
    if (!transport_->wait(true, until, nullptr)) give_up(deadline);
    return;
  }
  transport_->sleep_for(at_least);
  std::array<char, kReceiveBytes> buffer; // NOLINT: written before it is read
  for (;;) {
    const std::size_t got = transport_->receive_patiently(buffer.data(), buffer.size(), until);
    if (got > 0) return take_in(buffer.data(), got);
    if (until.passed()) give_up(deadline);
  }
}

void Connection::give_up(Deadline deadline) const {
  if (deadline.passed()) {
    throw Failure(SWAPMQ_TIMEOUT, "Redis at " + endpoint_.text() + " did not answer in time",
                  SWAPMQ_ERROR_RETRYABLE);
  }
  throw ConnectionLost("Redis at " + endpoint_.text() + " said nothing for " +
                       std::to_string(silence_.count()) + " ms where an answer was due");
}

OwnedReply Connection::read(Deadline deadline) {
  flush(deadline);
  for (;;) {
    if (OwnedReply reply = reader_.next()) return reply;
    await(deadline);
  }
}

void Connection::read(Brief& brief, Deadline deadline) {
  flush(deadline);
  while (!reader_.next(brief)) await(deadline);
}

bool Connection::is_stale() {
  if (Clock::now() - last_received_ < kFresh) return false;
  char byte = 0;
  const ssize_t got = recv(transport_->fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

} // namespace swapmq::redis
