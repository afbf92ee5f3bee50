// SPDX-License-Identifier: MIT
#include "link.hpp"

#include <poll.h>

#include <algorithm>
#include <random>
#include <utility>

#include "deadlines.hpp"

namespace swapmq::redis {

using backend::Deadline;
using backend::Failure;
using Clock = Deadline::Clock;

namespace {

// A connection that is lost sooner than this was as good as none.
constexpr milliseconds kProven(1000);

} // namespace

Connection& Link::open(Deadline deadline, const Wake* wake) {
  if (connection_ != nullptr && connection_->is_stale()) broke();
  if (connection_ != nullptr) return *connection_;
  if (std::exchange(lost_early_, false)) {
    // A pause, which does not grow: there is a server that takes connections.
    pause(dialer_.options().retry_delay);
    last_failure_ = ConnectionLost("Redis at " + dialer_.options().endpoint.text() +
                                   " ends connections as soon as they are used");
  }
  for (uint32_t attempt = 0;; ++attempt) {
    await_turn(deadline, wake);
    try {
      connection_ = dialer_.dial(deadline, wake);
      break;
    } catch (const Failure& failure) {
      // An attempt that had no time says nothing about the server.
      if (failure.status() != SWAPMQ_TIMEOUT || !deadline.passed()) failed(failure);
      const bool again = (failure.flags() & SWAPMQ_ERROR_RETRYABLE) != 0;
      if (!again || deadline.passed() || attempt >= dialer_.options().max_retry_attempts) throw;
    }
  }
  if (std::exchange(connected_before_, true)) {
    host_.count("reconnects");
    if (host_.logs(SWAPMQ_LOG_INFO)) {
      host_.log(SWAPMQ_LOG_INFO, "connected again to Redis at " + connection_->endpoint().text());
    }
  }
  made_at_ = Clock::now();
  failures_ = 0;
  last_failure_.reset();
  return *connection_;
}

void Link::broke() noexcept {
  if (connection_ == nullptr) return;
  connection_.reset();
  lost_early_ = Clock::now() - made_at_ < kProven;
}

/// Until the next attempt is due. Throws what the last one failed with if the deadline comes first.
void Link::await_turn(Deadline deadline, const Wake* wake) const {
  if (last_failure_ && not_before_ > deadline.at()) {
    // Of who gave no time it is not the connection's fault.
    if (!deadline.passed()) throw Failure(*last_failure_);
    throw Failure(SWAPMQ_TIMEOUT,
                  "there was no time to connect to Redis at " + dialer_.options().endpoint.text(),
                  SWAPMQ_ERROR_RETRYABLE);
  }
  const Deadline turn = deadline_at(not_before_);
  while (!turn.passed()) {
    pollfd polled{wake != nullptr ? wake->fd() : -1, POLLIN, 0};
    if (poll(&polled, 1, turn.left_ms()) > 0) throw Interrupted{};
  }
}

void Link::failed(const Failure& failure) {
  pause(dialer_.options().retry_delay * (1U << failures_));
  if (failures_ < 16) ++failures_;
  last_failure_ = failure;
}

void Link::pause(milliseconds delay) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  delay = std::min(delay, dialer_.options().max_retry_delay);
  // Between a half and all of it, so that many clients do not come at once.
  std::uniform_int_distribution<int64_t> jitter(delay.count() / 2, delay.count());
  not_before_ = Clock::now() + milliseconds(jitter(random));
}

} // namespace swapmq::redis
