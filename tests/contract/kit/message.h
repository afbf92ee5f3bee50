// SPDX-License-Identifier: MIT
//
// Messages as the tests make and compare them, and as the ABI passes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "swapmq/backend.h"

namespace swapmq::contract {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Message {
  std::string id, body;
  Headers headers;
  std::int64_t timestamp_ms = 0, first_published_ms = 0, due_at_ms = 0, expires_at_ms = 0;
  std::uint32_t priority = 0, delivery_count = 0;
  std::string ordering_key, correlation_id, reply_to, content_type;
};

std::string_view view(swapmq_bytes bytes);
swapmq_bytes bytes(std::string_view text);
std::int64_t unix_now_ms();
/// The beginning of it in quotes, printable, with its size.
std::string shown(std::string_view text);

/// A message with an id that no other has and the time of now.
Message message(std::string body);
/// Bodies "PREFIX 0", "PREFIX 1", …
std::vector<Message> messages(std::string_view prefix, std::size_t count);
/// `size` bytes that differ from place to place.
std::string pattern(std::size_t size, unsigned seed = 1);

/// An array of the ABI's elements with a stride of the test's choice; what is beyond an element is
/// filled with 0xA5, so that who reads it as an element stumbles.
template <class T>
class Row {
 public:
  Row(std::size_t count, std::size_t stride)
      : count_(count), stride_(stride), words_((count * stride + 7) / 8, kFill) {}
  T& operator[](std::size_t i) {
    return *reinterpret_cast<T*>(reinterpret_cast<std::byte*>(words_.data()) + i * stride_);
  }
  T* data() { return reinterpret_cast<T*>(words_.data()); }
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] std::uint32_t stride() const { return static_cast<std::uint32_t>(stride_); }

 private:
  static constexpr std::uint64_t kFill = 0xA5A5A5A5A5A5A5A5u;
  std::size_t count_;
  std::size_t stride_;
  std::vector<std::uint64_t> words_;
};

/// Messages as the ABI passes them; borrows from `messages`.
class Wire {
 public:
  explicit Wire(std::span<const Message> messages, std::size_t extra = 0);
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  [[nodiscard]] const swapmq_message* data() { return row_.data(); }
  swapmq_message& operator[](std::size_t i) { return row_[i]; }
  [[nodiscard]] std::size_t size() const { return row_.size(); }
  [[nodiscard]] std::uint32_t stride() const { return row_.stride(); }

 private:
  Row<swapmq_message> row_;
  std::vector<Row<swapmq_header>> headers_;
};

/// Copies a delivered message. Throws Breach if a size cannot be: nothing as large was published.
Message copy(const swapmq_message& delivered);
/// The same, without copying.
void check_sizes(const swapmq_message& delivered);

/// Empty, or where `got` is not what was published.
std::string difference(const Message& sent, const Message& got);

} // namespace swapmq::contract
