// SPDX-License-Identifier: MIT
//
// What a client of RabbitMQ reaches that is written with librabbitmq for this one thing: frames
// read as they come, no allocation of its own a message.
#pragma once

#include <cstdint>
#include <vector>

#include "../broker/contender.h"
#include "link.h"

namespace bench {

/// A sliding window of so many without a confirm.
std::vector<RawVariant> raw_publishing(const Link::Place& place, std::size_t window);
/// One at a time, each timed.
std::vector<RawVariant> raw_single(const Link::Place& place);
/// One ack for each half of the prefetch.
std::vector<RawVariant> raw_consuming(const Link::Place& place, std::uint16_t prefetch);
/// Both at once, each in a thread with a connection of its own.
std::vector<RawVariant> raw_both(const Link::Place& place, std::size_t window,
                                 std::uint16_t prefetch);

} // namespace bench
