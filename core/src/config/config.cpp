// SPDX-License-Identifier: MIT
#include "config/config.h"

#include <algorithm>
#include <filesystem>
#include <limits>

#include "config/build.h"
#include "config/core_check.h"
#include "config/document.h"
#include "config/file.h"
#include "config/queue_name.h"
#include "config/render.h"
#include "config/substitute.h"
#include "config/text.h"

namespace swapmq {

std::string ConfigError::to_string() const {
  std::string out = config::one_line(file);
  if (line > 0) out += ":" + std::to_string(line) + ":" + std::to_string(column);
  out += ": ";
  if (!pointer.empty()) out += config::one_line(pointer) + ": ";
  return out + config::one_line(message);
}

} // namespace swapmq

namespace swapmq::config {
namespace {

ConfigError whole_file(const std::string& file, std::string message) {
  ConfigError error;
  error.file = file;
  error.message = std::move(message);
  return error;
}

std::vector<ConfigError> placed(Findings findings, std::string_view text, const std::string& file) {
  std::stable_sort(findings.begin(), findings.end(),
                   [](const Finding& a, const Finding& b) { return a.offset < b.offset; });
  const auto same = [](const Finding& a, const Finding& b) {
    return a.offset == b.offset && a.pointer == b.pointer && a.message == b.message &&
           a.origin == b.origin;
  };
  findings.erase(std::unique(findings.begin(), findings.end(), same), findings.end());
  const bool cut = findings.size() >= kMostFindings;
  if (cut) findings.resize(kMostFindings);

  std::vector<ConfigError> errors;
  errors.reserve(findings.size() + 1);
  const SourceMap places(text);
  for (Finding& finding : findings) {
    const Position at = places.locate(finding.offset);
    const bool here = finding.origin.empty();
    ConfigError& error = errors.emplace_back();
    error.file = here ? file : finding.origin;
    error.line = here ? at.line : 0;
    error.column = here ? at.column : 0;
    error.pointer = std::move(finding.pointer);
    error.message = std::move(finding.message);
    error.code = finding.code;
  }
  if (cut) errors.push_back(whole_file(file, "more errors were left out; correct these first"));
  return errors;
}

} // namespace

Parsed parse(std::string_view json, const std::string& file, const SchemaLookup& schemas,
             const Environment& environment) {
  json = without_byte_order_mark(json);
  Parsed parsed;
  if (json.size() > kMaxTextBytes) {
    parsed.errors.push_back(whole_file(
        file, "too large: a config has at most " + std::to_string(kMaxTextBytes) + " bytes"));
    return parsed;
  }
  Document document(json);
  Findings findings = document.findings();
  if (document.root() != nullptr) {
    substitute(document, environment, findings);
    CoreCheck(document, schemas, environment.folder).run(findings);
  }
  if (findings.empty()) {
    parsed.config = build(document, file);
    parsed.shown = to_shown_json(*document.root());
  } else {
    parsed.errors = placed(std::move(findings), json, file);
  }
  return parsed;
}

std::string folder_of(const std::string& path) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(path, error);
  return (error ? std::filesystem::path(path) : absolute).parent_path().lexically_normal().string();
}

Parsed parse_file(const std::string& path, const SchemaLookup& schemas, Environment environment) {
  std::string text;
  // A byte order mark may come on top of it.
  if (std::string trouble = read_file(path, kMaxTextBytes + 3, text); !trouble.empty()) {
    Parsed parsed;
    parsed.errors.push_back(whole_file(path.empty() ? "config" : path, std::move(trouble)));
    return parsed;
  }
  environment.folder = folder_of(path);
  return parse(text, path, schemas, environment);
}

std::string_view Config::queue_of_role(std::string_view name) const {
  if (name == "@task") return task_queue;
  if (name == "@status") return status_queue;
  if (name == "@heartbeat") return heartbeat_queue;
  return name == "@control" ? control_queue : name;
}

std::string Config::queue_name(std::string_view name) const {
  if (!name.starts_with('@')) return std::string(name);
  const std::size_t group = std::min(name.find('@', 1), name.size());
  return std::string(queue_of_role(name.substr(0, group))).append(name.substr(group));
}

std::string group_queue(std::string_view queue, std::string_view group) {
  std::string name(queue);
  if (!group.empty()) name.append("@").append(group);
  return name;
}

std::vector<std::string> Config::group_queues(std::string_view name) const {
  std::vector<std::string> names;
  const auto found = queues.find(std::string(name));
  if (found == queues.end()) return names;
  for (const std::string& group : found->second.groups) names.push_back(group_queue(name, group));
  return names;
}

bool Config::has_groups() const {
  return std::any_of(queues.begin(), queues.end(),
                     [](const auto& one) { return !one.second.groups.empty(); });
}

/// What the queue that has the group says of the group's queue. (No group has an '@' in its name.)
QueueConfig Config::of_group(std::string_view name) const {
  const std::size_t at = name.rfind('@');
  if (at == std::string_view::npos) return {};
  const auto owner = queues.find(std::string(name.substr(0, at)));
  if (owner == queues.end()) return {};
  QueueConfig out = owner->second;
  const auto group = std::find(out.groups.begin(), out.groups.end(), name.substr(at + 1));
  if (group == out.groups.end()) return {};
  out.groups.clear();
  return out;
}

QueueConfig Config::queue(std::string_view name) const {
  const auto found = queues.find(std::string(name));
  QueueConfig out = found != queues.end() ? found->second : of_group(name);
  if (out.max_deliveries == 0) {
    const bool full = max_retries == std::numeric_limits<std::uint32_t>::max();
    out.max_deliveries = full ? max_retries : max_retries + 1;
  }
  if (out.dead_letter_queue.empty()) out.dead_letter_queue = default_dead_letter_queue(name);
  return out;
}

const std::string& Config::options_of(std::string_view backend) const {
  static const std::string none = "{}";
  const auto found = options.find(std::string(backend));
  return found == options.end() ? none : found->second;
}

std::string_view embedded_default() {
  return R"({
  "message_queue": {
    "type": "sqlite",
    "sqlite": { "path": "./swapmq-data/queues.db" },
    "task_queue": "tasks",
    "status_queue": "status_updates",
    "heartbeat_queue": "heartbeats",
    "control_queue": "control",
    "max_retries": 3,
    "retry_delay_seconds": 60,
    "connection_timeout_seconds": 30,
    "pool": { "publish_sessions": 2, "consume_sessions": 1 }
  }
}
)";
}

} // namespace swapmq::config
