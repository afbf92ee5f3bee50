// SPDX-License-Identifier: MIT
#include "plugin/batch_check.h"

#include <cstdint>

#include "plugin/session.h"

namespace swapmq::plugin {
namespace {

constexpr std::uint64_t kMaxNameBytes = 255; // of ids and header names
/// No broker has messages of this size: whoever says so read a wrong word.
constexpr std::uint64_t kMaxViewBytes = std::uint64_t{1} << 32;
constexpr std::uint32_t kMaxHeaders = 1u << 20;
constexpr std::uint32_t kMaxPriority = 9;

template <class T>
bool is_aligned(const T* pointer) {
  return reinterpret_cast<std::uintptr_t>(pointer) % alignof(T) == 0;
}

/// Whether elements of T may lie `stride` bytes apart.
template <class T>
bool is_stride(std::uint32_t stride) {
  return stride >= sizeof(T) && stride % alignof(T) == 0;
}

bool is_view(const swapmq_bytes& view) {
  return view.size == 0 || (view.data != nullptr && view.size <= kMaxViewBytes);
}

bool is_name(const swapmq_bytes& view) {
  return view.size >= 1 && view.size <= kMaxNameBytes && view.data != nullptr;
}

/// A literal that names the rule, or null.
const char* broken_headers(const swapmq_message& message) {
  if (message.header_count == 0) return nullptr;
  if (message.headers == nullptr || !is_aligned(message.headers)) {
    return "headers is NULL or not aligned";
  }
  if (!is_stride<swapmq_header>(message.header_size)) {
    return "header_size is not a stride of headers";
  }
  if (message.header_count > kMaxHeaders) return "header_count is implausible";
  const auto* first = reinterpret_cast<const std::byte*>(message.headers);
  for (std::size_t i = 0; i < message.header_count; ++i) {
    const auto& header = *reinterpret_cast<const swapmq_header*>(first + i * message.header_size);
    if (!is_name(header.name)) return "a header's name is not 1 to 255 bytes";
    if (!is_view(header.value)) return "a header's value is NULL or of an implausible size";
  }
  return nullptr;
}

const char* broken_message(const swapmq_message* message) {
  if (message == nullptr || !is_aligned(message)) return "its message is NULL or not aligned";
  if (!is_name(message->id)) return "the message's id is not 1 to 255 bytes";
  if (!is_view(message->body)) return "the body is NULL or of an implausible size";
  if (!is_view(message->ordering_key) || !is_view(message->correlation_id) ||
      !is_view(message->reply_to) || !is_view(message->content_type)) {
    return "a property of the message is NULL or of an implausible size";
  }
  if (message->priority > kMaxPriority) return "the message's priority is above 9";
  return broken_headers(*message);
}

const char* broken_delivery(const swapmq_delivery& delivery) {
  if (delivery.receipt.size < 1 || delivery.receipt.size > SWAPMQ_RECEIPT_BYTES) {
    return "its receipt's size is not 1 to 48";
  }
  if (delivery.delivery_count < 1) return "its delivery_count is 0";
  return broken_message(delivery.message);
}

} // namespace

bool is_releasable(const swapmq_batch* batch) {
  constexpr std::size_t kOldestBatch = sizeof(swapmq_batch); // as of 0.1; there is no smaller one
  return is_aligned(batch) && batch->struct_size >= kOldestBatch && batch->release != nullptr;
}

std::string broken_rule(const swapmq_batch& batch, std::size_t max_messages) {
  if (batch.count < 1 || batch.count > max_messages) {
    return "a batch's count is " + std::to_string(batch.count) + ", asked were 1 to " +
           std::to_string(max_messages);
  }
  if (batch.deliveries == nullptr || !is_aligned(batch.deliveries)) {
    return "a batch's deliveries is NULL or not aligned";
  }
  if (!is_stride<swapmq_delivery>(batch.delivery_size)) {
    return "a batch's delivery_size of " + std::to_string(batch.delivery_size) +
           " is not a stride of deliveries";
  }
  if (!is_stride<swapmq_message>(batch.message_size)) {
    return "a batch's message_size of " + std::to_string(batch.message_size) +
           " is not that of a message";
  }
  for (std::size_t i = 0; i < batch.count; ++i) {
    if (const char* rule = broken_delivery(delivery_at(batch, i))) {
      return "delivery " + std::to_string(i) + " of a batch: " + rule;
    }
  }
  return {};
}

} // namespace swapmq::plugin
