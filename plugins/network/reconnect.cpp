// SPDX-License-Identifier: MIT
#include "reconnect.hpp"

#include <poll.h>

#include <algorithm>
#include <random>
#include <utility>

#include "deadlines.hpp"
#include "failures.hpp"

namespace swapmq::network {

using backend::Deadline;
using backend::Failure;
using std::chrono::milliseconds;
using Clock = Deadline::Clock;

namespace {

// A connection that is lost sooner than this was as good as none.
constexpr milliseconds kProven(1000);
// More doublings than any delay has room for.
constexpr uint32_t kMostDoublings = 16;

} // namespace

void Reconnect::begin(std::string server) {
  server_ = std::move(server);
  attempts_ = 0;
  if (!std::exchange(lost_early_, false)) return;
  // A pause, which does not grow: there is a server that takes connections.
  pause(retry_.retry_delay);
  last_failure_ = ConnectionLost(server_ + " ends connections as soon as they are used");
}

void Reconnect::await_turn(Deadline deadline, const Wake* wake) const {
  if (last_failure_ && not_before_ > deadline.at()) {
    // Of who gave no time it is not the connection's fault.
    if (!deadline.passed()) throw Failure(*last_failure_);
    throw Failure(SWAPMQ_TIMEOUT, "there was no time to connect to " + server_,
                  SWAPMQ_ERROR_RETRYABLE);
  }
  const Deadline turn = deadline_at(not_before_);
  while (!turn.passed()) {
    pollfd polled{wake != nullptr ? wake->fd() : -1, POLLIN, 0};
    if (poll(&polled, 1, turn.left_ms()) > 0) throw Interrupted{};
  }
}

bool Reconnect::failed(const Failure& failure, Deadline deadline) {
  // An attempt that had no time says nothing about the server; the one before it did.
  if (failure.status() == SWAPMQ_TIMEOUT && deadline.passed()) {
    if (attempts_ > 0) throw Failure(*last_failure_);
    return false;
  }
  pause(retry_.retry_delay * (1U << failures_));
  if (failures_ < kMostDoublings) ++failures_;
  last_failure_ = failure;
  const bool may_pass = (failure.flags() & SWAPMQ_ERROR_RETRYABLE) != 0;
  return may_pass && !deadline.passed() && attempts_++ < retry_.max_retry_attempts;
}

bool Reconnect::connected() noexcept {
  made_at_ = Clock::now();
  failures_ = 0;
  last_failure_.reset();
  return std::exchange(connected_before_, true);
}

void Reconnect::broke() noexcept { lost_early_ = Clock::now() - made_at_ < kProven; }

void Reconnect::pause(milliseconds delay) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  delay = std::min(delay, retry_.max_retry_delay);
  // Between a half and all of it, so that many clients do not come at once.
  std::uniform_int_distribution<int64_t> jitter(delay.count() / 2, delay.count());
  not_before_ = Clock::now() + milliseconds(jitter(random));
}

} // namespace swapmq::network
