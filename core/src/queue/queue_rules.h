// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "config/current.h"
#include "queue/lane.h"

namespace swapmq::queue {

/// What the config of now says of a queue. Any thread.
class QueueRules {
 public:
  /// The config outlives it.
  explicit QueueRules(const config::Current& config) : config_(config) {}

  /// What a broker is told of it.
  [[nodiscard]] swapmq_queue_spec spec(std::string_view queue) const;
  /// Where its dead letters go; empty: it collects those of others, and they stay. A dead letter
  /// that fails again stays where it is: there is no queue behind the last one.
  [[nodiscard]] std::string dead_letter_queue(std::string_view queue) const;
  /// How its deliveries are settled on a backend that can do so much; publish: for one that cannot
  /// dead-letter by itself.
  [[nodiscard]] std::shared_ptr<const LanePolicy> policy(
      const std::string& queue, const swapmq_capabilities& can,
      decltype(SettlePolicy::publish) publish) const;

 private:
  const config::Current& config_;
};

} // namespace swapmq::queue
