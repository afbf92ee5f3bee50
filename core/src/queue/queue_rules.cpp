// SPDX-License-Identifier: MIT
#include "queue/queue_rules.h"

#include <algorithm>
#include <utility>

namespace swapmq::queue {
namespace {

bool collects_dead_letters(const config::Config& config, std::string_view queue) {
  if (queue.ends_with(".dead")) return true;
  return std::any_of(config.queues.begin(), config.queues.end(),
                     [&](const auto& one) { return one.second.dead_letter_queue == queue; });
}

} // namespace

swapmq_queue_spec QueueRules::spec(std::string_view queue) const {
  const config::QueueConfig wanted = config_.get()->queue(queue);
  swapmq_queue_spec spec{};
  spec.struct_size = sizeof spec;
  spec.flags = wanted.strict_order ? SWAPMQ_QUEUE_STRICT_ORDER : 0;
  spec.max_length = wanted.max_length;
  return spec;
}

std::string QueueRules::dead_letter_queue(std::string_view queue) const {
  const auto config = config_.get();
  return collects_dead_letters(*config, queue) ? std::string()
                                               : config->queue(queue).dead_letter_queue;
}

std::shared_ptr<const LanePolicy> QueueRules::policy(
    const std::string& queue, const swapmq_capabilities& can,
    decltype(SettlePolicy::publish) publish) const {
  const auto config = config_.get();
  auto policy = std::make_shared<LanePolicy>();
  policy->retry_delay = config->retry_delay;
  SettlePolicy& settle = policy->settle;
  settle.queue = queue;
  settle.native_dead_letter = can.dead_letter != SWAPMQ_ABSENT;
  settle.native_release = can.release != SWAPMQ_ABSENT;
  settle.native_delayed_nack = can.delayed_nack != SWAPMQ_ABSENT;
  settle.publish = std::move(publish);
  if (!collects_dead_letters(*config, queue)) {
    const config::QueueConfig wanted = config->queue(queue);
    settle.dead_letter_queue = wanted.dead_letter_queue;
    settle.max_deliveries = wanted.max_deliveries;
    policy->dead_letter_spec = spec(wanted.dead_letter_queue);
  }
  return policy;
}

} // namespace swapmq::queue
