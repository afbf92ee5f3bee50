// SPDX-License-Identifier: MIT
//
// Publishing to a queue with groups: the same messages, with the same ids, to the queue of each of
// them. A message is confirmed once all have it, failed if none has; anything between is in doubt,
// and whoever publishes it again with its id ends that, at the price that some get it twice.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "queue/async_publisher.h"
#include "swapmq/swapmq.hpp"

namespace swapmq::detail {
class Runtime;
}

namespace swapmq::queue {

using GroupQueues = std::vector<std::string>; ///< one or more

/// Returns when all have an outcome; one Sent for each message. One after the other, and no further
/// with a message than the first group that has not confirmed it.
std::vector<Sent> publish_to_groups(detail::Runtime& runtime, const GroupQueues& groups,
                                    std::span<const Message> messages, milliseconds timeout);

/// To all groups at once, as MessageQueue::publish_many_async.
void publish_to_groups_async(detail::Runtime& runtime, const GroupQueues& groups,
                             std::span<const Message> messages, AsyncPublisher::Done done,
                             milliseconds timeout);

} // namespace swapmq::queue
