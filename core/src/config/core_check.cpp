// SPDX-License-Identifier: MIT
#include "config/core_check.h"

#include <algorithm>

#include "config/core_schema.h"
#include "config/group_check.h"
#include "config/queue_name.h"
#include "config/sections.h"
#include "config/suggest.h"
#include "config/text.h"
#include "config/url.h"

namespace swapmq::config {
namespace {

std::vector<std::string_view> property_names(const Node& schema) {
  std::vector<std::string_view> names;
  const Node* each = schema.find("properties")->first_child;
  for (; each != nullptr; each = each->next) names.push_back(each->key);
  return names;
}

bool among(std::string_view word, const std::vector<std::string_view>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

void check_name(const Node* node, Findings& out) {
  if (node == nullptr || node->kind != Kind::string || node->bad_value) return;
  if (const Error error = check_queue_name(node->text)) {
    out.push_back(at_value(*node, error.message()));
  }
}

/// Whether the findings touch what decides which plugins may be loaded.
bool trust_is_broken(const Findings& findings) {
  return std::any_of(findings.begin(), findings.end(), [](const Finding& finding) {
    const std::string_view at = finding.pointer;
    // At the root: perhaps not all was looked at.
    return at.empty() || at == "/plugins" || at == "/plugin_path" || at.starts_with("/plugins/") ||
           at.starts_with("/plugin_path/");
  });
}

} // namespace

bool is_plugin_name(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

const std::vector<std::string_view>& top_level_keys() {
  static const std::vector<std::string_view> keys = property_names(core_schema().root());
  return keys;
}

const std::vector<std::string_view>& message_queue_keys() {
  static const std::vector<std::string_view> keys =
      property_names(*core_schema().root().find("properties")->find("message_queue"));
  return keys;
}

void CoreCheck::run(Findings& out) {
  const Node& root = *document_.root();
  if (root.kind == Kind::object) use_url(document_, out);
  Validator validator(core_schema(), adapter_,
                      [this](const Node& object, const Node& member, Findings& to) {
                        return on_additional(object, member, to);
                      });
  validator.check(root, out);
  if (root.kind != Kind::object) return;
  check_queue_names(out);
  check_switching(out);
  const Node* message_queue = root.find("message_queue");
  if (message_queue == nullptr || message_queue->kind != Kind::object) return;
  // With its trust settings in doubt a config must not cause code to be loaded.
  if (out.size() >= kMostFindings || trust_is_broken(out)) return;
  Sections(document_, schemas_, adapter_).check(*message_queue, sections_, out);
}

bool CoreCheck::on_additional(const Node& object, const Node& member, Findings& out) {
  const bool top = object.parent == nullptr;
  if (top) {
    if (!among(member.key, message_queue_keys())) return false;
    out.push_back(at_key(
        member, "unknown key " + quoted(member.key) + "; it belongs inside \"message_queue\""));
    return true;
  }
  if (object.parent->parent != nullptr || object.key != "message_queue") return false;
  if (member.kind == Kind::object) {
    sections_.push_back(&member);
    return true;
  }
  const Node* type = object.find("type");
  if (type != nullptr && type->kind == Kind::string && type->text == member.key) {
    return false; // the schema says that a section must be an object
  }
  std::string message = "unknown key " + quoted(member.key);
  if (among(member.key, top_level_keys())) {
    message += "; it belongs at the top level, beside \"message_queue\"";
  } else {
    if (!nearest(member.key, message_queue_keys())) {
      message += "; a backend's section must be an object";
    }
    message += suggestion(member.key, message_queue_keys());
  }
  out.push_back(at_key(member, std::move(message)));
  return true;
}

void CoreCheck::check_queue_names(Findings& out) const {
  const Node& root = *document_.root();
  if (const Node* message_queue = root.find("message_queue")) {
    for (const char* key : {"task_queue", "status_queue", "heartbeat_queue", "control_queue"}) {
      check_name(message_queue->find(key), out);
    }
  }
  const Node* queues = root.find("queues");
  if (queues == nullptr || queues->kind != Kind::object) return;
  const Node* queue = queues->first_child;
  for (; queue != nullptr && out.size() < kMostFindings; queue = queue->next) {
    if (queue->bad_key) continue;
    check_queue(*queue, out);
    if (is_queue_role(queue->key)) check_twice(*queues, *queue, out);
  }
  GroupCheck(*queues, [this](std::string_view name) { return queue_named(name); }).run(out);
}

std::string_view CoreCheck::queue_named(std::string_view name) const {
  static const Config defaults;
  if (!is_queue_role(name)) return name;
  const std::string key = std::string(name.substr(1)) + "_queue";
  const Node* message_queue = document_.root()->find("message_queue");
  const Node* given = message_queue != nullptr ? message_queue->find(key) : nullptr;
  if (given == nullptr) return defaults.queue_of_role(name);
  return given->kind == Kind::string ? given->text : std::string_view();
}

void CoreCheck::check_twice(const Node& queues, const Node& role, Findings& out) const {
  const std::string_view name = queue_named(role.key);
  for (const Node* other = queues.first_child; other != nullptr; other = other->next) {
    if (other == &role || queue_named(other->key) != name) continue;
    out.push_back(at_key(role, quoted(role.key) + " is the queue " + quoted(name) +
                                   ", which is listed as " + quoted(other->key) +
                                   " as well; remove one"));
    return;
  }
}

void CoreCheck::check_switching(Findings& out) const {
  const Node* switching = document_.root()->find("switch");
  if (switching == nullptr || switching->kind != Kind::object) return;
  const Node* policy = switching->find("policy");
  const Node* order = switching->find("order");
  if (policy == nullptr || order == nullptr) return;
  if (policy->text == "transfer" && order->text == "strict") {
    out.push_back(
        at_value(*policy,
                 "messages that are moved lose their order; with \"order\": \"strict\" the "
                 "policy can be \"drain\" or \"leave\""));
  }
}

void CoreCheck::check_queue(const Node& queue, Findings& out) const {
  const bool role = is_queue_role(queue.key);
  if (const Error error = role ? Error() : check_queue_name(queue.key)) {
    out.push_back(at_key(queue, error.message()));
  }
  const Node* dead = queue.find("dead_letter_queue");
  if (dead == nullptr || dead->kind != Kind::string) return;
  if (!is_queue_role(dead->text)) check_name(dead, out);
  if (queue_named(dead->text) == queue_named(queue.key)) {
    out.push_back(at_value(*dead, "a queue cannot be its own dead-letter queue; name another"));
  }
}

} // namespace swapmq::config
