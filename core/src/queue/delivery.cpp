// SPDX-License-Identifier: MIT
//
// The public handle of a delivery.
#include <utility>

#include "plugin/views.h"
#include "queue/clock.h"
#include "queue/ledger.h"

namespace swapmq {

using plugin::header_at;
using plugin::view;
using std::chrono::steady_clock;

namespace {

/// What an empty handle shows.
const swapmq_message no_message{};

} // namespace

namespace detail {

Delivery DeliveryState::handle(DeliveryState& state) {
  state.add_handle();
  return Delivery(&state);
}

void DeliveryState::add_handle() {
  if (handles.fetch_add(1, std::memory_order_relaxed) == 0) batch->add_reference();
}

void DeliveryState::drop_handle() {
  if (handles.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  queue::DeliveryBatch* const kept = batch;
  kept->ledger().abandoned(*this);
  kept->drop_reference();
}

} // namespace detail

Delivery::Delivery(const Delivery& other) noexcept : state_(other.state_) {
  if (state_ != nullptr) state_->add_handle();
}

Delivery::~Delivery() {
  if (state_ != nullptr) state_->drop_handle();
}

#define SWAPMQ_MESSAGE (state_ != nullptr ? state_->message() : no_message)

std::string_view Delivery::body() const { return view(SWAPMQ_MESSAGE.body); }
std::string_view Delivery::id() const { return view(SWAPMQ_MESSAGE.id); }
std::string_view Delivery::ordering_key() const { return view(SWAPMQ_MESSAGE.ordering_key); }
std::string_view Delivery::correlation_id() const { return view(SWAPMQ_MESSAGE.correlation_id); }
std::string_view Delivery::reply_to() const { return view(SWAPMQ_MESSAGE.reply_to); }
std::string_view Delivery::content_type() const { return view(SWAPMQ_MESSAGE.content_type); }
std::uint32_t Delivery::priority() const { return SWAPMQ_MESSAGE.priority; }

std::string_view Delivery::queue() const {
  return state_ != nullptr ? std::string_view(state_->batch->ledger().queue()) : std::string_view();
}

std::optional<std::string_view> Delivery::header(std::string_view name) const {
  const swapmq_message& message = SWAPMQ_MESSAGE;
  for (std::size_t i = 0; i < message.header_count; ++i) {
    const swapmq_header& header = header_at(message, i);
    if (view(header.name) == name) return view(header.value);
  }
  return std::nullopt;
}

std::vector<Header> Delivery::headers() const {
  const swapmq_message& message = SWAPMQ_MESSAGE;
  std::vector<Header> headers;
  headers.reserve(message.header_count);
  for (std::size_t i = 0; i < message.header_count; ++i) {
    const swapmq_header& header = header_at(message, i);
    headers.push_back({view(header.name), view(header.value)});
  }
  return headers;
}

std::chrono::system_clock::time_point Delivery::timestamp() const {
  return std::chrono::system_clock::time_point(milliseconds(SWAPMQ_MESSAGE.timestamp_ms));
}

#undef SWAPMQ_MESSAGE

std::uint32_t Delivery::delivery_count() const {
  return state_ != nullptr ? state_->delivery->delivery_count : 0;
}

bool Delivery::redelivered() const {
  return state_ != nullptr && (state_->delivery->delivery_count > 1 ||
                               (state_->delivery->flags & SWAPMQ_DELIVERY_REDELIVERED) != 0);
}

Settling Delivery::ack() const {
  if (state_ == nullptr) return Settling::lost;
  return state_->batch->ledger().settle(*state_, SWAPMQ_SETTLE_ACK, std::nullopt, {},
                                        steady_clock::now());
}

Settling Delivery::nack(std::optional<milliseconds> delay, std::string_view reason) const {
  if (state_ == nullptr) return Settling::lost;
  return state_->batch->ledger().settle(*state_, SWAPMQ_SETTLE_NACK, delay, reason,
                                        steady_clock::now());
}

Settling Delivery::release() const {
  if (state_ == nullptr) return Settling::lost;
  return state_->batch->ledger().settle(*state_, SWAPMQ_SETTLE_RELEASE, std::nullopt, {},
                                        steady_clock::now());
}

Settling Delivery::reject(std::string_view reason) const {
  if (state_ == nullptr) return Settling::lost;
  return state_->batch->ledger().settle(*state_, SWAPMQ_SETTLE_DEAD_LETTER, std::nullopt,
                                        reason.empty() ? "rejected" : reason, steady_clock::now());
}

Settling Delivery::extend() const {
  return state_ != nullptr ? state_->batch->ledger().extend(*state_) : Settling::lost;
}

Error Delivery::wait_settled(milliseconds timeout) const {
  if (state_ == nullptr) return {Errc::lost, "an empty handle stands for no delivery"};
  const auto deadline = queue::deadline_after(timeout);
  return state_->batch->ledger().wait_settled(*state_, deadline);
}

void Delivery::when_settled(std::function<void(Error)> told) const {
  if (state_ == nullptr) return told({Errc::lost, "an empty handle stands for no delivery"});
  state_->batch->ledger().when_settled(*state_, std::move(told));
}

} // namespace swapmq
