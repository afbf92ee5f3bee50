// SPDX-License-Identifier: MIT
#include "entry.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <new>

namespace swapmq::memory {
namespace {

using backend::Headers;

constexpr uint64_t kAllocatorOverhead = 16; // what an allocation costs beside its bytes

bool named_in(Headers headers, std::string_view name) {
  for (std::size_t i = 0; i < headers.size(); ++i) {
    if (backend::view(headers[i].name) == name) return true;
  }
  return false;
}

/// Visits the headers that the copy will have, in their order.
template <class Visit>
void for_each_header(const swapmq_message& message, Headers added, Visit&& visit) {
  const Headers own = backend::headers_of(message);
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (!named_in(added, backend::view(own[i].name))) visit(own[i]);
  }
  for (std::size_t i = 0; i < added.size(); ++i) visit(added[i]);
}

uint64_t saturating_add(uint64_t a, uint64_t b) {
  uint64_t sum = 0;
  return __builtin_add_overflow(a, b, &sum) ? std::numeric_limits<uint64_t>::max() : sum;
}

/// Lays out views one after the other.
class Writer {
 public:
  explicit Writer(std::byte* at) : at_(at) {}

  swapmq_bytes copy(swapmq_bytes from) {
    if (from.size == 0) return {nullptr, 0};
    const auto size = static_cast<std::size_t>(from.size);
    std::memcpy(at_, from.data, size);
    const swapmq_bytes copied{at_, from.size};
    at_ += size;
    return copied;
  }

 private:
  std::byte* at_;
};

} // namespace

uint64_t Entry::weight_of(const swapmq_message& message, Headers added) {
  uint64_t sum = sizeof(Entry) + kAllocatorOverhead;
  for (const swapmq_bytes& part :
       {message.id, message.body, message.ordering_key, message.correlation_id, message.reply_to,
        message.content_type}) {
    sum = saturating_add(sum, part.size);
  }
  for_each_header(message, added, [&](const swapmq_header& header) {
    sum = saturating_add(sum, sizeof(swapmq_header));
    sum = saturating_add(sum, header.name.size);
    sum = saturating_add(sum, header.value.size);
  });
  return sum;
}

EntryPtr Entry::make(const swapmq_message& message, Headers added) {
  static_assert(sizeof(Entry) % alignof(swapmq_header) == 0, "headers follow the entry");
  const uint64_t weight = weight_of(message, added);
  if (weight > static_cast<uint64_t>(std::numeric_limits<std::ptrdiff_t>::max())) {
    throw std::bad_alloc();
  }
  void* memory = ::operator new(static_cast<std::size_t>(weight - kAllocatorOverhead));
  EntryPtr made(new (memory) Entry());

  uint32_t header_count = 0;
  for_each_header(message, added, [&](const swapmq_header&) { ++header_count; });
  auto* headers = reinterpret_cast<swapmq_header*>(made.get() + 1);
  Writer writer(reinterpret_cast<std::byte*>(headers + header_count));

  made->weight_ = weight;
  swapmq_message& copy = made->message_;
  copy = message;
  copy.id = writer.copy(message.id);
  copy.body = writer.copy(message.body);
  copy.ordering_key = writer.copy(message.ordering_key);
  copy.correlation_id = writer.copy(message.correlation_id);
  copy.reply_to = writer.copy(message.reply_to);
  copy.content_type = writer.copy(message.content_type);
  copy.headers = header_count == 0 ? nullptr : headers;
  copy.header_count = header_count;
  copy.header_size = sizeof(swapmq_header);
  if (copy.first_published_ms == 0) copy.first_published_ms = copy.timestamp_ms;
  for_each_header(message, added, [&](const swapmq_header& header) {
    const swapmq_bytes name = writer.copy(header.name);
    new (headers++) swapmq_header{name, writer.copy(header.value)};
  });
  return made;
}

uint32_t Entry::next_delivery_count() const {
  const uint64_t count = uint64_t{message_.delivery_count} + place.counted_returns + 1;
  return static_cast<uint32_t>(std::min<uint64_t>(count, std::numeric_limits<uint32_t>::max()));
}

void Entry::drop_reference() noexcept {
  if (references_.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
  this->~Entry();
  ::operator delete(static_cast<void*>(this));
}

} // namespace swapmq::memory
