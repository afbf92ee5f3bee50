// SPDX-License-Identifier: MIT
#pragma once

#include <deque>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "swapmq/backend.h"

namespace swapmq::switching {

/// Where a message was moved away from: keys of backends, the first one first, with commas between.
inline constexpr std::string_view moved_from_header = "swapmq-moved-from";

/// Whether it was moved away from there before: moved there again it might travel in a circle.
bool was_moved_from(const swapmq_message& message, std::string_view member);

/// The deliveries of a batch as they are published to another backend: as they were, with what was
/// counted of them, and with one more stop in the header that tells their way. What the other
/// backend does not know (priority, ttl) is left out: whoever asked for the switch was told.
/// Borrows from the batch.
class Cargo {
 public:
  Cargo(const swapmq_batch& batch, std::string_view from, const swapmq_capabilities& target);
  /// In the order of the batch.
  [[nodiscard]] std::span<const swapmq_message> messages() const { return messages_; }

 private:
  void load(const swapmq_delivery& delivery, std::string_view from,
            const swapmq_capabilities& target);

  std::deque<std::string> trails_;                 // stable addresses
  std::deque<std::vector<swapmq_header>> headers_; // the same
  std::vector<swapmq_message> messages_;
};

} // namespace swapmq::switching
