// SPDX-License-Identifier: MIT
#include "queue_admin.hpp"

#include <poll.h>

#include <algorithm>

#include "declare.hpp"
#include "requests.hpp"

namespace swapmq::rabbitmq {
namespace {

using backend::Deadline;

/// Deletes them, those that are not there too; gives how many messages were in them.
uint64_t delete_all(Connection& connection, const std::vector<std::string>& queues,
                    Deadline deadline) {
  open_channel(connection, kAdminChannel, deadline);
  for (const std::string& queue : queues) {
    amqp_queue_delete_t fields{};
    fields.queue = amqp_bytes(queue);
    connection.out().method(kAdminChannel, AMQP_QUEUE_DELETE_METHOD, fields);
  }
  uint64_t messages = 0;
  for (std::size_t i = 0; i < queues.size(); ++i) {
    const Frame answer =
        await_answer(connection, kAdminChannel, AMQP_QUEUE_DELETE_OK_METHOD, deadline);
    messages += fields_of<amqp_queue_delete_ok_t>(answer).message_count;
  }
  return messages;
}

// A quorum queue tells its consumers a moment after it was deleted. To those that are told when
// there is one of that name again the broker says nothing: it makes them consumers of the new one,
// and takes what they settle of the old one for deliveries of the new one.
constexpr int kNoticedWithin_ms = 100;

/// Runs `work`; a queue that is not there is no failure.
template <class Work>
bool found(Work&& work) {
  try {
    work();
    return true;
  } catch (const ChannelClosed& closed) {
    if (closed.closing().code != AMQP_NOT_FOUND) throw;
    return false;
  }
}

uint64_t purge_one(Connection& connection, const std::string& queue, Deadline deadline) {
  open_channel(connection, kAdminChannel, deadline);
  amqp_queue_purge_t purge{};
  purge.queue = amqp_bytes(queue);
  return request<amqp_queue_purge_ok_t>(connection, kAdminChannel, AMQP_QUEUE_PURGE_METHOD, purge,
                                        AMQP_QUEUE_PURGE_OK_METHOD, deadline)
      .message_count;
}

/// What waits in the delay queues of `queue`, of which the name begins so.
uint64_t delayed_in(const std::vector<ManagementClient::Listed>& all, const QueueRoutes& routes) {
  std::vector<std::string> names = routes.delay_queue_names();
  std::sort(names.begin(), names.end());
  uint64_t delayed = 0;
  for (const auto& listed : all) {
    if (std::binary_search(names.begin(), names.end(), listed.name)) delayed += listed.ready;
  }
  return delayed;
}

} // namespace

void create_queue(Link& link, QueueRoutes& routes, Deadline deadline) {
  routes.forget();
  over(link, deadline,
       [&](Connection& connection) { ensure_exists(connection, routes.queue(), deadline); });
}

void delete_queue(Link& link, QueueRoutes& routes, Deadline deadline) {
  over(link, deadline, [&](Connection& connection) {
    bool consumed = false;
    found([&] { consumed = look_at(connection, routes.queue().queue, deadline).consumers > 0; });
    std::vector<std::string> queues = routes.delay_queue_names();
    queues.insert(queues.begin(), routes.queue().queue);
    delete_all(connection, queues, deadline);
    routes.forget();
    if (consumed) poll(nullptr, 0, kNoticedWithin_ms);
  });
}

uint64_t purge_queue(Link& link, QueueRoutes& routes, Deadline deadline) {
  return over(link, deadline, [&](Connection& connection) {
    uint64_t removed = 0;
    found([&] { removed = purge_one(connection, routes.queue().queue, deadline); });
    // What is claimed of a delay queue must stay, so it cannot be deleted.
    for (const std::string& delays : routes.delay_queue_names()) {
      found([&] { removed += purge_one(connection, delays, deadline); });
    }
    routes.forget();
    return removed;
  });
}

void read_queue_stats(Link& link, QueueRoutes& routes, const ManagementClient* management,
                      swapmq_queue_stats& stats, Deadline deadline) {
  const std::string& queue = routes.queue().queue;
  Declared declared;
  const bool exists = over(link, deadline, [&](Connection& connection) {
    return found([&] { declared = look_at(connection, queue, deadline); });
  });
  stats.exists = exists ? 1 : 0;
  if (!exists) {
    stats.ready_precision = stats.unacked_precision = stats.delayed_precision = SWAPMQ_STAT_EXACT;
    return;
  }
  // It counts what has expired behind others, and not what waits in a consumer's buffer.
  stats.ready = declared.ready;
  stats.ready_precision = SWAPMQ_STAT_APPROXIMATE;
  if (management == nullptr) return;
  if (const auto unacked = management->unacked(queue, deadline)) {
    stats.unacked = *unacked;
    stats.unacked_precision = SWAPMQ_STAT_APPROXIMATE;
  }
  stats.delayed = delayed_in(management->list(deadline), routes);
  stats.delayed_precision = SWAPMQ_STAT_APPROXIMATE;
}

} // namespace swapmq::rabbitmq
