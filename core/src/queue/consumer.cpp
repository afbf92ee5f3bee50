// SPDX-License-Identifier: MIT
#include "queue/consumer.h"

#include <algorithm>
#include <utility>

#include "queue/clock.h"
#include "queue/runtime.h"

namespace swapmq {

using std::chrono::steady_clock;

namespace detail {

namespace {

/// Of `all`, what part `i` of `parts` gets: together they get all of it.
std::uint32_t share_of(std::uint32_t all, std::uint32_t i, std::uint32_t parts) {
  return all / parts + (i < all % parts ? 1 : 0);
}

} // namespace

ConsumerState::ConsumerState(std::shared_ptr<Runtime> runtime, ConsumeRequest request)
    : runtime_(std::move(runtime)),
      request_(std::move(request)),
      slots_(std::make_shared<queue::HandlerSlots>(request_.options.concurrency)),
      bell_(std::make_shared<queue::Bell>()) {}

ConsumerState::~ConsumerState() = default;

void ConsumerState::consume_from(const std::shared_ptr<queue::Side>& side) {
  const Lock lock(mutex_);
  const bool known = std::any_of(lanes_.begin(), lanes_.end(), [&](const auto& lane) {
    return lane->side().serial() == side->serial() && !lane->closing();
  });
  if (closing_ || paused_ || known || !side->consumed()) return;
  // Several sessions share the work only where there are handlers enough for them.
  const ConsumeOptions& all = request_.options;
  const std::uint32_t sessions = runtime_->config()->pool.consume_sessions;
  const std::uint32_t parts =
      request_.handler ? std::min({sessions, all.concurrency, all.prefetch}) : 1;
  for (std::uint32_t i = 0; i < parts; ++i) {
    queue::LaneSetup setup = runtime_->lane_setup(request_.queue, side);
    setup.options = all;
    setup.options.prefetch = share_of(all.prefetch, i, parts);
    setup.options.concurrency = share_of(all.concurrency, i, parts);
    setup.handler = request_.handler;
    setup.slots = slots_;
    setup.bell = request_.handler ? std::make_shared<queue::Bell>() : bell_;
    lanes_.push_back(std::make_shared<queue::Lane>(std::move(setup)));
    if (all.on_demand) lanes_.back()->ledger().ask(asked_);
  }
}

ConsumerState::Lanes ConsumerState::lanes() const {
  const Lock lock(mutex_);
  return lanes_;
}

ConsumerState::Lanes ConsumerState::lanes(const queue::Side& side) const {
  Lanes there = lanes();
  std::erase_if(there, [&](const auto& lane) { return lane->side().serial() != side.serial(); });
  return there;
}

// The side says already that it is not consumed from: no lane is made behind our back.
void ConsumerState::leave(const queue::Side& side) {
  for (const auto& lane : lanes(side)) lane->begin_close();
}

bool ConsumerState::sweep(const queue::Side& side) {
  Lanes ended = lanes(side);
  const std::size_t all = ended.size();
  std::erase_if(ended, [](const auto& lane) { return !lane->drained(); });
  {
    const Lock lock(mutex_);
    std::erase_if(lanes_, [&](const auto& lane) {
      return std::find(ended.begin(), ended.end(), lane) != ended.end();
    });
  }
  return ended.size() == all; // they end here, outside the lock
}

bool ConsumerState::closing() const {
  const Lock lock(mutex_);
  return closing_;
}

void ConsumerState::follow_config() {
  for (const auto& lane : lanes()) {
    lane->set_policy(runtime_->lane_policy(request_.queue, lane->side()));
  }
}

void ConsumerState::pause() {
  const Lock lock(mutex_); // a resume finds all lanes closing, or none
  paused_ = true;
  for (const auto& lane : lanes_) lane->begin_close();
}

void ConsumerState::resume() {
  {
    const Lock lock(mutex_);
    paused_ = false;
  }
  runtime_->let_consume(*this);
}

bool ConsumerState::paused() const {
  const Lock lock(mutex_);
  return paused_;
}

void ConsumerState::begin_close() {
  {
    const Lock lock(mutex_);
    closing_ = true;
  }
  for (const auto& lane : lanes()) lane->begin_close();
}

Error ConsumerState::close(milliseconds timeout) {
  const auto deadline = queue::deadline_after(timeout);
  begin_close();
  Error first;
  for (const auto& lane : lanes()) {
    const Error error = lane->close(deadline);
    if (error && !first) first = error;
  }
  return first;
}

void ConsumerState::tick() {
  for (const auto& lane : lanes()) lane->tick();
}

void ConsumerState::serve() {
  for (const auto& lane : lanes()) lane->serve();
}

Error ConsumerState::last_error() const {
  for (const auto& lane : lanes()) {
    if (Error error = lane->last_error()) return error;
  }
  return {};
}

std::size_t ConsumerState::in_flight() const {
  std::size_t sum = 0;
  for (const auto& lane : lanes()) sum += lane->ledger().handed_out();
  return sum;
}

std::size_t ConsumerState::unsettled(const queue::Side& side) const {
  std::size_t sum = 0;
  for (const auto& lane : lanes(side)) sum += lane->ledger().outstanding();
  return sum;
}

std::vector<Delivery> ConsumerState::take(std::size_t max) {
  std::vector<Delivery> taken;
  const auto now = steady_clock::now();
  const Lock lock(mutex_);
  for (std::size_t i = 0; i < lanes_.size() && taken.size() < max; ++i) {
    queue::Ledger& ledger = lanes_[(first_to_take_ + i) % lanes_.size()]->ledger();
    while (taken.size() < max) {
      auto next = ledger.take(now);
      if (!next) break;
      taken.push_back(std::move(*next));
    }
  }
  ++first_to_take_;
  return taken;
}

void ConsumerState::ask(std::size_t count) {
  if (!request_.options.on_demand) return;
  const Lock lock(mutex_);
  asked_ = count;
  for (const auto& lane : lanes_) lane->ledger().ask(count);
}

Result<std::vector<Delivery>> ConsumerState::receive(std::size_t max, milliseconds timeout) {
  if (max == 0) return Error(Errc::invalid_argument, "receive: max is 0");
  const auto deadline = queue::deadline_after(timeout);
  while (true) {
    const std::uint32_t heard = bell_->listen();
    auto taken = take(max);
    if (!taken.empty()) return taken;
    {
      const Lock lock(mutex_);
      if (closing_) return Error(Errc::closed, "the subscription is closed");
    }
    if (steady_clock::now() >= deadline) return taken;
    bell_->wait(heard, deadline);
  }
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
void Consumer::pause() {
  if (state_ != nullptr) state_->pause();
}
void Consumer::resume() {
  if (state_ != nullptr) state_->resume();
}
bool Consumer::paused() const { return state_ != nullptr && state_->paused(); }
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

void Subscription::ask(std::size_t count) {
  if (state_ != nullptr) state_->ask(count);
}
void Subscription::on_ready(std::function<void()> ready) {
  if (state_ != nullptr) state_->on_ready(std::move(ready));
}

void Subscription::pause() {
  if (state_ != nullptr) state_->pause();
}
void Subscription::resume() {
  if (state_ != nullptr) state_->resume();
}
bool Subscription::paused() const { return state_ != nullptr && state_->paused(); }

Error Subscription::close(milliseconds timeout) {
  return state_ != nullptr ? state_->close(timeout) : Error();
}

} // namespace swapmq
