// SPDX-License-Identifier: MIT
//
// Queues as an administrator sees them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control.hpp"
#include "management.hpp"
#include "routes.hpp"
#include "swapmq/backend.hpp"

namespace swapmq::rabbitmq {

void create_queue(Link& link, QueueRoutes& routes, backend::Deadline deadline);
/// With all that waits in its delay queues.
void delete_queue(Link& link, QueueRoutes& routes, backend::Deadline deadline);
uint64_t purge_queue(Link& link, QueueRoutes& routes, backend::Deadline deadline);
/// AMQP tells what is ready; `management`, which may be null, the rest.
void read_queue_stats(Link& link, QueueRoutes& routes, const ManagementClient* management,
                      swapmq_queue_stats& stats, backend::Deadline deadline);

} // namespace swapmq::rabbitmq
