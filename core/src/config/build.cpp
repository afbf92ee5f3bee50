// SPDX-License-Identifier: MIT
#include "config/build.h"

#include <algorithm>
#include <cmath>

#include "config/core_check.h"
#include "config/render.h"

namespace swapmq::config {
namespace {

void take(const Node* node, std::string& to) {
  if (node != nullptr) to = node->text;
}

template <class Integer>
void take_integer(const Node* node, Integer& to) {
  if (node != nullptr) to = static_cast<Integer>(number_of(*node)); // the schema bounds it
}

void take_seconds(const Node* node, std::chrono::milliseconds& to) {
  if (node == nullptr) return;
  const long double seconds = number_of(*node);
  const auto rounded = std::llround(seconds * 1000);
  // What is not 0 must not become it.
  to = std::chrono::milliseconds(seconds > 0 ? std::max(rounded, 1LL) : 0);
}

void build_message_queue(const Node& from, Config& to) {
  take(from.find("type"), to.type);
  take(from.find("task_queue"), to.task_queue);
  take(from.find("status_queue"), to.status_queue);
  take(from.find("heartbeat_queue"), to.heartbeat_queue);
  take(from.find("control_queue"), to.control_queue);
  take_integer(from.find("max_retries"), to.max_retries);
  take_seconds(from.find("retry_delay_seconds"), to.retry_delay);
  take_seconds(from.find("connection_timeout_seconds"), to.connection_timeout);
  if (const Node* pool = from.find("pool")) {
    take_integer(pool->find("publish_sessions"), to.pool.publish_sessions);
    take_integer(pool->find("consume_sessions"), to.pool.consume_sessions);
  }
  const auto& own = message_queue_keys();
  for (const Node* each = from.first_child; each != nullptr; each = each->next) {
    if (std::find(own.begin(), own.end(), each->key) == own.end()) {
      to.options.emplace(each->key, to_json(*each));
    }
  }
}

QueueConfig build_queue(const Node& from, const Config& config) {
  QueueConfig to;
  take_integer(from.find("max_deliveries"), to.max_deliveries);
  if (const Node* dead = from.find("dead_letter_queue")) {
    to.dead_letter_queue = config.queue_name(dead->text);
  }
  take_integer(from.find("max_length"), to.max_length);
  if (const Node* strict = from.find("strict_order")) to.strict_order = strict->is_true();
  if (const Node* groups = from.find("groups")) {
    for (const Node* each = groups->first_child; each != nullptr; each = each->next) {
      to.groups.emplace_back(each->text);
    }
  }
  return to;
}

std::string lower(std::string_view digits) {
  std::string out(digits);
  for (char& c : out) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

} // namespace

Config build(const Document& document, const std::string& file) {
  const Node& root = *document.root();
  Config config;
  config.file = file;
  build_message_queue(*root.find("message_queue"), config);
  if (const Node* queues = root.find("queues")) {
    for (const Node* each = queues->first_child; each != nullptr; each = each->next) {
      config.queues.emplace(config.queue_name(each->key), build_queue(*each, config));
    }
  }
  if (const Node* folders = root.find("plugin_path")) {
    for (const Node* each = folders->first_child; each != nullptr; each = each->next) {
      config.plugin_path.emplace_back(each->text);
    }
  }
  if (const Node* plugins = root.find("plugins")) {
    for (const Node* each = plugins->first_child; each != nullptr; each = each->next) {
      config.sha256.emplace(each->key, lower(each->find("sha256")->text));
    }
  }
  take(root.find("state_dir"), config.state_dir);
  if (const Node* switching = root.find("switch")) {
    if (const Node* allow = switching->find("allow_capability_loss")) {
      config.switching.allow_capability_loss = allow->is_true();
    }
    if (const Node* probe = switching->find("probe")) config.probe = probe->is_true();
    take_seconds(switching->find("prepare_timeout_seconds"), config.switching.prepare_timeout);
    if (const Node* hold = switching->find("hold_publishes")) {
      config.switching.hold_publishes = hold->is_true();
    }
    take_seconds(switching->find("drain_timeout_seconds"), config.switching.drain_timeout);
    take_seconds(switching->find("stranded_timeout_seconds"), config.switching.stranded_timeout);
    std::string policy, order;
    take(switching->find("policy"), policy);
    take(switching->find("order"), order);
    if (policy == "transfer") config.switching.policy = BacklogPolicy::transfer;
    if (policy == "leave") config.switching.policy = BacklogPolicy::leave;
    if (order == "strict") config.switching.order = SwitchOrder::strict;
  }
  if (const Node* log = root.find("log")) {
    take(log->find("level"), config.log_level);
    take(log->find("file"), config.log_file);
  }
  return config;
}

} // namespace swapmq::config
