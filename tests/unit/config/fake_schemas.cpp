// SPDX-License-Identifier: MIT
#include "fake_schemas.h"

#include "config/document.h"
#include "config/schema.h"
#include "config/text.h"
#include "config/validator.h"

namespace swapmq::config {

FakePlugins::FakePlugins() {
  install("memory", R"({ "type": "object", "additionalProperties": false, "properties": {
      "max_bytes": { "type": "integer", "minimum": 1048576 } } })");
  install("sqlite", R"({ "type": "object", "additionalProperties": false, "properties": {
      "path": { "type": "string", "minLength": 1, "default": "./swapmq-data/queues.db" },
      "synchronous": { "type": "string", "enum": ["FULL", "NORMAL", "OFF"] },
      "busy_timeout_ms": { "type": "integer", "minimum": 0, "maximum": 60000 } } })");
  install("redis_stream", R"({ "type": "object", "required": ["url"],
      "additionalProperties": false, "properties": {
      "url": { "type": "string", "pattern": "^(redis|rediss|unix)://" },
      "password": { "type": "string" },
      "durability": { "type": "string" },
      "nodes": { "type": "array", "items": { "type": "string" } } } })");
}

SchemaLookup FakePlugins::lookup() {
  return [this](std::string_view name, const std::vector<std::string>& plugin_path,
                std::string_view sha256) -> Result<std::string> {
    asked_.push_back({std::string(name), plugin_path, std::string(sha256)});
    const auto found = schemas_.find(std::string(name));
    if (found != schemas_.end()) return found->second;
    return Error(Errc::plugin, "no plugin " + quoted(name) + " in /nowhere");
  };
}

std::vector<std::string> lines_of(const std::vector<ConfigError>& errors) {
  std::vector<std::string> lines;
  for (ConfigError error : errors) {
    error.file.clear();
    lines.push_back(error.to_string().substr(1));
  }
  return lines;
}

std::vector<std::string> errors_of(std::string_view json) {
  FakePlugins plugins;
  return lines_of(parse(json, "swapmq.json", plugins.lookup()).errors);
}

std::vector<std::string> violations(std::string_view schema, std::string_view value) {
  const Schema checked(schema);
  if (!checked.error().empty()) return {"schema: " + checked.error()};
  Document document(value);
  Adapter adapter(document, {});
  Findings findings = document.findings();
  if (document.root() != nullptr) Validator(checked, adapter).check(*document.root(), findings);
  std::vector<std::string> lines;
  for (const Finding& finding : findings) lines.push_back(finding.pointer + ": " + finding.message);
  return lines;
}

std::string schema_trouble(std::string_view schema) { return Schema(schema).error(); }

} // namespace swapmq::config
