// SPDX-License-Identifier: MIT
#include "queue/consumer.h"

#include <utility>

#include "queue/clock.h"
#include "queue/runtime.h"

namespace swapmq {

using std::chrono::steady_clock;

namespace detail {

ConsumerState::ConsumerState(std::shared_ptr<Runtime> runtime, std::vector<queue::LaneSetup> setups)
    : runtime_(std::move(runtime)) {
  for (queue::LaneSetup& setup : setups) {
    lanes_.push_back(std::make_unique<queue::Lane>(std::move(setup)));
  }
}

ConsumerState::~ConsumerState() = default;

void ConsumerState::begin_close() {
  for (auto& lane : lanes_) lane->begin_close();
}

Error ConsumerState::close(milliseconds timeout) {
  const auto deadline = queue::deadline_after(timeout);
  begin_close();
  Error first;
  for (auto& lane : lanes_) {
    const Error error = lane->close(deadline);
    if (error && !first) first = error;
  }
  return first;
}

void ConsumerState::tick() {
  for (auto& lane : lanes_) lane->tick();
}

void ConsumerState::serve() {
  for (auto& lane : lanes_) lane->serve();
}

Error ConsumerState::last_error() const {
  for (const auto& lane : lanes_) {
    if (Error error = lane->last_error()) return error;
  }
  return {};
}

std::size_t ConsumerState::in_flight() const {
  std::size_t sum = 0;
  for (const auto& lane : lanes_) sum += lane->ledger().handed_out();
  return sum;
}

Result<std::vector<Delivery>> ConsumerState::receive(std::size_t max, milliseconds timeout) {
  queue::Ledger& ledger = lanes_.front()->ledger(); // a subscription has one
  std::vector<Delivery> taken;
  if (max == 0) return Error(Errc::invalid_argument, "receive: max is 0");
  auto first = ledger.take(queue::deadline_after(timeout));
  if (!first) {
    if (ledger.draining()) return Error(Errc::closed, "the subscription is closed");
    return taken;
  }
  taken.push_back(std::move(*first));
  const auto now = steady_clock::now();
  while (taken.size() < max) {
    auto next = ledger.try_take(now);
    if (!next) break;
    taken.push_back(std::move(*next));
  }
  return taken;
}

} // namespace detail

// ---- the public handles -------------------------------------------------------------------------

Consumer::Consumer(std::shared_ptr<detail::ConsumerState> state) : state_(std::move(state)) {}
Consumer::Consumer(Consumer&&) noexcept = default;

Consumer& Consumer::operator=(Consumer&& other) noexcept {
  if (this != &other) {
    if (state_ != nullptr) state_->close(milliseconds(30'000));
    state_ = std::move(other.state_);
  }
  return *this;
}

Consumer::~Consumer() {
  if (state_ != nullptr) state_->close(milliseconds(30'000));
}

Error Consumer::close(milliseconds timeout) {
  return state_ != nullptr ? state_->close(timeout) : Error();
}
Error Consumer::last_error() const { return state_ != nullptr ? state_->last_error() : Error(); }
std::size_t Consumer::in_flight() const { return state_ != nullptr ? state_->in_flight() : 0; }

Subscription::Subscription(std::shared_ptr<detail::ConsumerState> state)
    : state_(std::move(state)) {}
Subscription::Subscription(Subscription&&) noexcept = default;

Subscription& Subscription::operator=(Subscription&& other) noexcept {
  if (this != &other) {
    if (state_ != nullptr) state_->close(milliseconds(0));
    state_ = std::move(other.state_);
  }
  return *this;
}

Subscription::~Subscription() {
  // Whoever pulls may hold deliveries on this very thread: waiting for them could not end.
  if (state_ != nullptr) state_->close(milliseconds(0));
}

Result<std::vector<Delivery>> Subscription::receive(std::size_t max, milliseconds timeout) {
  if (state_ == nullptr) return Error(Errc::closed, "the subscription was moved from");
  return state_->receive(max, timeout);
}

Error Subscription::close(milliseconds timeout) {
  return state_ != nullptr ? state_->close(timeout) : Error();
}

} // namespace swapmq
