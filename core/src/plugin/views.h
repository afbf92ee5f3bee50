// SPDX-License-Identifier: MIT
//
// Between the ABI's views and the library's.
#pragma once

#include <cstddef>
#include <string_view>

#include "swapmq/backend.h"

namespace swapmq::plugin {

inline swapmq_bytes bytes(std::string_view text) { return {text.data(), text.size()}; }

inline std::string_view view(const swapmq_bytes& bytes) {
  if (bytes.size == 0) return {};
  return {static_cast<const char*>(bytes.data), static_cast<std::size_t>(bytes.size)};
}

/// By the stride that the message's writer said.
inline const swapmq_header& header_at(const swapmq_message& message, std::size_t i) {
  const auto* first = reinterpret_cast<const std::byte*>(message.headers);
  return *reinterpret_cast<const swapmq_header*>(first + i * message.header_size);
}

} // namespace swapmq::plugin
