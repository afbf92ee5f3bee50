// SPDX-License-Identifier: MIT
//
// Batches, and settlements of what is in them.
#include "harness.h"

namespace swapmq::contract {

Batch& Batch::operator=(Batch&& other) noexcept {
  if (this != &other) {
    release();
    batch_ = other.take();
  }
  return *this;
}

void Batch::release() {
  swapmq_batch* batch = take();
  if (batch == nullptr) return;
  CallUnderWay under_way("release() of a batch");
  under_way.leave_no_trace(); // there are many, and no failure comes from one that has returned
  call("batch.release", [&] { batch->release(batch); });
}

std::size_t Batch::size() const {
  return batch_ == nullptr ? 0 : static_cast<std::size_t>(batch_->count);
}

const swapmq_delivery& Batch::operator[](std::size_t i) const {
  const auto* first = reinterpret_cast<const std::byte*>(batch_->deliveries);
  return *reinterpret_cast<const swapmq_delivery*>(first + i * batch_->delivery_size);
}

void Deliveries::add(Batch batch) {
  for (std::size_t i = 0; i < batch.size(); ++i) all_.push_back(&batch[i]);
  batches_.push_back(std::move(batch));
}

void Deliveries::clear() {
  all_.clear();
  batches_.clear();
}

std::string body_of(const swapmq_delivery& delivery) {
  check_sizes(*delivery.message);
  return std::string(view(delivery.message->body));
}

std::string id_of(const swapmq_delivery& delivery) {
  check_sizes(*delivery.message);
  return std::string(view(delivery.message->id));
}

std::string Deliveries::body(std::size_t i) const { return body_of(*all_[i]); }

std::vector<std::string> Deliveries::bodies() const {
  std::vector<std::string> bodies;
  for (const swapmq_delivery* delivery : all_) bodies.push_back(body_of(*delivery));
  return bodies;
}

namespace {
swapmq_settlement settlement(const swapmq_delivery& delivery, std::int32_t action) {
  swapmq_settlement made{};
  made.delivery = &delivery;
  made.action = action;
  made.header_size = sizeof(swapmq_header);
  return made;
}
} // namespace

swapmq_settlement ack(const swapmq_delivery& delivery) {
  return settlement(delivery, SWAPMQ_SETTLE_ACK);
}

swapmq_settlement nack(const swapmq_delivery& delivery, std::int64_t due_at_ms) {
  swapmq_settlement made = settlement(delivery, SWAPMQ_SETTLE_NACK);
  made.due_at_ms = due_at_ms;
  return made;
}

swapmq_settlement release(const swapmq_delivery& delivery) {
  return settlement(delivery, SWAPMQ_SETTLE_RELEASE);
}

swapmq_settlement dead_letter(const swapmq_delivery& delivery, swapmq_queue* target) {
  swapmq_settlement made = settlement(delivery, SWAPMQ_SETTLE_DEAD_LETTER);
  made.target = target;
  return made;
}

} // namespace swapmq::contract
