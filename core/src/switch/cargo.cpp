// SPDX-License-Identifier: MIT
#include "switch/cargo.h"

#include <algorithm>
#include <optional>

#include "plugin/session.h"
#include "plugin/views.h"

namespace swapmq::switching {

using plugin::bytes;
using plugin::header_at;
using plugin::view;

namespace {

constexpr std::size_t longest_trail = 512; // bytes; older stops are forgotten

std::string_view trail_of(const swapmq_message& message) {
  for (std::size_t i = 0; i < message.header_count; ++i) {
    const swapmq_header& header = header_at(message, i);
    if (view(header.name) == moved_from_header) return view(header.value);
  }
  return {};
}

std::string longer_trail(std::string_view trail, std::string_view from) {
  std::string longer(trail);
  if (!longer.empty()) longer += ',';
  longer += from;
  while (longer.size() > longest_trail && longer.find(',') != std::string::npos) {
    longer.erase(0, longer.find(',') + 1);
  }
  return longer;
}

} // namespace

bool was_moved_from(const swapmq_message& message, std::string_view member) {
  std::string_view trail = trail_of(message);
  while (!trail.empty()) {
    const std::size_t end = std::min(trail.find(','), trail.size());
    if (trail.substr(0, end) == member) return true;
    trail.remove_prefix(std::min(end + 1, trail.size()));
  }
  return false;
}

Cargo::Cargo(const swapmq_batch& batch, std::string_view from, const swapmq_capabilities& target) {
  messages_.reserve(batch.count);
  for (std::size_t i = 0; i < batch.count; ++i) load(plugin::delivery_at(batch, i), from, target);
}

void Cargo::load(const swapmq_delivery& delivery, std::string_view from,
                 const swapmq_capabilities& target) {
  swapmq_message message = *delivery.message;
  const std::string& trail = trails_.emplace_back(longer_trail(trail_of(message), from));
  std::vector<swapmq_header>& headers = headers_.emplace_back();
  for (std::size_t i = 0; i < message.header_count; ++i) {
    const swapmq_header& header = header_at(message, i);
    if (view(header.name) != moved_from_header) headers.push_back(header);
  }
  headers.push_back({bytes(moved_from_header), bytes(trail)});
  message.headers = headers.data();
  message.header_count = static_cast<std::uint32_t>(headers.size());
  message.header_size = sizeof(swapmq_header);
  // This delivery was for moving it: only the returns before it count.
  message.delivery_count = delivery.delivery_count - 1;
  if (message.first_published_ms == 0) message.first_published_ms = message.timestamp_ms;
  if (target.priority == SWAPMQ_ABSENT) message.priority = 0;
  if (target.ttl == SWAPMQ_ABSENT) message.expires_at_ms = 0;
  messages_.push_back(message);
}

} // namespace swapmq::switching
