// SPDX-License-Identifier: MIT
//
// Publishing with confirms (https://www.rabbitmq.com/confirms.html), as many at a time as the
// window takes.
#pragma once

#include <cstdint>
#include <span>

#include "control.hpp"
#include "message_encoder.hpp"
#include "routes.hpp"
#include "swapmq/backend.hpp"

namespace swapmq::rabbitmq {

constexpr uint64_t kMaxPublishBatch = 65536;

/// A message and where it goes.
struct Letter {
  const swapmq_message* message;
  QueueRoutes* to;
  Returned returned = {};
  bool makes_queue = true; // where there is none; false: it fails with NOT_FOUND
  bool is_copy = true;     // of a message that was taken: it is within the limits
};

/// Publishes in order and fills in all results, also when it throws: then the failure's text says
/// why some of them are not confirmed. A message that has
/// expired is confirmed and not sent.
void publish_letters(Link& link, Dialer& dialer, std::span<const Letter> letters,
                     backend::PublishResults results, backend::Deadline deadline);

} // namespace swapmq::rabbitmq
