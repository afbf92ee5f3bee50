// SPDX-License-Identifier: MIT
//
// What an application sees of its queue and of its backend.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>

#include "deadline.hpp"
#include "swapmq/swapmq.hpp"

namespace swapmq::live {

/// The queue is as empty as it should be once all was consumed and acknowledged.
inline void expect_empty(MessageQueue& mq, std::string_view queue = "tasks") {
  std::string last;
  const bool empty = await([&] {
    const auto stats = mq.stats(queue, milliseconds(5000));
    if (!stats) return last = stats.error().message(), false;
    last = std::to_string(stats->ready) + "/" + std::to_string(stats->unacked) + "/" +
           std::to_string(stats->delayed);
    return stats->ready == 0 && stats->unacked == 0 && stats->delayed == 0;
  });
  EXPECT_TRUE(empty) << "ready/unacked/delayed: " << last;
}

/// How often the plugin counted an event, in all queues.
inline double plugin_events(const MessageQueue& mq, const std::string& event) {
  const std::pair<std::string, std::string> wanted("event", event);
  double events = 0;
  for (const Metric& metric : mq.metrics()) {
    for (const auto& label : metric.labels) {
      if (label == wanted) events += metric.value;
    }
  }
  return events;
}

} // namespace swapmq::live
