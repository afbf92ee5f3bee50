// SPDX-License-Identifier: MIT
#include "routes.hpp"

#include <utility>

#include "message_encoder.hpp"
#include "queue_names.hpp"
#include "requests.hpp"

namespace swapmq::rabbitmq {
namespace {

constexpr uint64_t kLongestDelay_ms = uint64_t{1} << 31; // x-message-ttl has 32 bits

/// 128, 192, 256, 384, ...: what is left of a delay after the longest that fits is under a third.
uint64_t next_delay(uint64_t delay_ms) {
  const bool is_power = (delay_ms & (delay_ms - 1)) == 0;
  return is_power ? delay_ms / 2 * 3 : delay_ms / 3 * 4;
}

uint64_t longest_within(uint64_t left_ms) {
  uint64_t delay = kShortestDelay_ms;
  while (delay < kLongestDelay_ms && next_delay(delay) <= left_ms) delay = next_delay(delay);
  return delay;
}

} // namespace

QueueRoutes::QueueRoutes(std::string at_broker, uint64_t max_length, bool strict_order,
                         const Options& options) {
  queue_.queue = std::move(at_broker);
  queue_.frame = publish_frame(kPublishChannel, queue_.queue);
  QueueArguments& arguments = queue_.arguments;
  arguments.type = options.queue_type;
  arguments.max_length = max_length;
  arguments.single_active_consumer = strict_order;
  arguments.max_priority = options.max_priority;
  arguments.quorum_group_size = options.quorum_group_size;
}

Route& QueueRoutes::delay(int64_t left_ms) {
  const uint64_t delay_ms = longest_within(static_cast<uint64_t>(left_ms));
  const auto [at, is_new] = delays_.try_emplace(delay_ms);
  Route& route = at->second;
  if (is_new) {
    route.queue = delay_queue_name(queue_.queue, delay_ms);
    route.frame = publish_frame(kPublishChannel, route.queue);
    // Always a quorum queue: only those let go of a message when it has arrived at the next queue.
    route.arguments.type = QueueType::quorum;
    route.arguments.quorum_group_size = queue_.arguments.quorum_group_size;
    route.arguments.delay_ms = delay_ms;
    route.arguments.then_to = queue_.queue;
  }
  return route;
}

std::vector<std::string> QueueRoutes::delay_queue_names() const {
  std::vector<std::string> names;
  for (uint64_t delay = kShortestDelay_ms; delay <= kLongestDelay_ms; delay = next_delay(delay)) {
    names.push_back(delay_queue_name(queue_.queue, delay));
  }
  return names;
}

void QueueRoutes::forget() {
  queue_.declared_on = queue_.taken_on = 0;
  for (auto& [delay, route] : delays_) route.declared_on = route.taken_on = 0;
}

} // namespace swapmq::rabbitmq
