// SPDX-License-Identifier: MIT
#include "config/difference.h"

#include <set>

namespace swapmq::config {
namespace {

using Pointers = std::vector<std::string>;

template <class Value>
void compare(const Value& before, const Value& after, const std::string& pointer, Pointers& to) {
  if (before != after) to.push_back(pointer);
}

std::string escaped(const std::string& key) {
  std::string text;
  for (const char c : key) text += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return text;
}

void compare_message_queue(const Config& before, const Config& after, Difference& to) {
  const std::string root = "/message_queue/";
  compare(before.task_queue, after.task_queue, root + "task_queue", to.live);
  compare(before.status_queue, after.status_queue, root + "status_queue", to.live);
  compare(before.heartbeat_queue, after.heartbeat_queue, root + "heartbeat_queue", to.live);
  compare(before.control_queue, after.control_queue, root + "control_queue", to.live);
  compare(before.max_retries, after.max_retries, root + "max_retries", to.live);
  compare(before.retry_delay, after.retry_delay, root + "retry_delay_seconds", to.live);
  compare(before.connection_timeout, after.connection_timeout, root + "connection_timeout_seconds",
          to.instance);
  compare(before.pool.publish_sessions, after.pool.publish_sessions, root + "pool/publish_sessions",
          to.instance);
  compare(before.pool.consume_sessions, after.pool.consume_sessions, root + "pool/consume_sessions",
          to.instance);
}

/// One that is listed no more has its defaults again.
void compare_queues(const Config& before, const Config& after, Difference& to) {
  std::set<std::string> names;
  for (const auto& [name, queue] : before.queues) names.insert(name);
  for (const auto& [name, queue] : after.queues) names.insert(name);
  for (const std::string& name : names) {
    const auto listed = [&](const Config& config) {
      const auto found = config.queues.find(name);
      return found != config.queues.end() ? found->second : QueueConfig{};
    };
    const QueueConfig old = listed(before);
    const QueueConfig now = listed(after);
    const std::string root = "/queues/" + escaped(name) + "/";
    compare(old.max_deliveries, now.max_deliveries, root + "max_deliveries", to.live);
    compare(old.dead_letter_queue, now.dead_letter_queue, root + "dead_letter_queue", to.live);
    compare(old.groups, now.groups, root + "groups", to.live);
    // What a broker was told of a queue goes with the connection.
    compare(old.max_length, now.max_length, root + "max_length", to.instance);
    compare(old.strict_order, now.strict_order, root + "strict_order", to.instance);
  }
}

void compare_switching(const SwitchOptions& before, const SwitchOptions& after, Difference& to) {
  compare(before.allow_capability_loss, after.allow_capability_loss,
          "/switch/allow_capability_loss", to.live);
  compare(before.drain_timeout, after.drain_timeout, "/switch/drain_timeout_seconds", to.live);
  compare(before.hold_publishes, after.hold_publishes, "/switch/hold_publishes", to.live);
  compare(before.order, after.order, "/switch/order", to.live);
  compare(before.policy, after.policy, "/switch/policy", to.live);
  compare(before.prepare_timeout, after.prepare_timeout, "/switch/prepare_timeout_seconds",
          to.live);
  compare(before.stranded_timeout, after.stranded_timeout, "/switch/stranded_timeout_seconds",
          to.live);
}

} // namespace

Difference difference(const Config& before, const Config& after) {
  Difference to;
  compare_message_queue(before, after, to);
  compare_queues(before, after, to);
  compare(before.plugin_path, after.plugin_path, "/plugin_path", to.live);
  compare(before.sha256, after.sha256, "/plugins", to.live);
  compare_switching(before.switching, after.switching, to);
  compare(before.probe, after.probe, "/switch/probe", to.live);
  compare(before.log_level, after.log_level, "/log/level", to.live);
  compare(before.log_file, after.log_file, "/log/file", to.at_restart);
  compare(before.state_dir, after.state_dir, "/state_dir", to.at_restart);
  return to;
}

} // namespace swapmq::config
