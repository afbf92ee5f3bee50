// SPDX-License-Identifier: MIT
//
// Making, deleting, counting, purging and listing queues.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "keys.hpp"
#include "link.hpp"
#include "swapmq/backend.hpp"

namespace swapmq::redis {

/// XGROUP CREATE from the first entry on, with or without the stream.
void append_group_creation(Commands& out, const QueueKeys& keys, bool make_stream);
/// That the group is there now, whoever made it. Throws Failure.
void expect_group(const Reply& reply);

// Each throws Failure.
void create_queue(Link& link, const QueueKeys& keys, backend::Deadline deadline);
void delete_queue(Link& link, const QueueKeys& keys, backend::Deadline deadline);
void read_queue_stats(Link& link, const QueueKeys& keys, swapmq_queue_stats& stats,
                      backend::Deadline deadline);
uint64_t purge_queue(Link& link, const QueueKeys& keys, backend::Deadline deadline);
/// In byte order.
std::vector<std::string> list_queues(Link& link, const std::string& key_prefix,
                                     backend::Deadline deadline);

} // namespace swapmq::redis
