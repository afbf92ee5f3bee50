// SPDX-License-Identifier: MIT
#include "config_target.h"

#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/redact.h"
#include "config/text.h"

namespace swapmq::fuzz {
namespace {

void demand(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "config parser: %s\n", what);
  std::abort();
}

/// Schemas with every keyword, so that each is fuzzed.
Result<std::string> schema_of(std::string_view name) {
  if (name == "sqlite") {
    return std::string(R"({ "type": "object", "additionalProperties": false, "required": ["path"],
      "properties": { "path": { "type": "string", "minLength": 1, "maxLength": 64 },
      "synchronous": { "enum": ["full", "normal", "off"] },
      "busy_timeout_ms": { "type": "integer", "minimum": 0, "maximum": 60000 } } })");
  }
  if (name == "memory") {
    return std::string(R"({ "definitions": { "tree": { "type": ["array", "string", "number"],
        "items": { "$ref": "#/definitions/tree" }, "uniqueItems": true, "maxItems": 3 } },
      "properties": { "tree": { "$ref": "#/definitions/tree" },
        "any": { "anyOf": [{ "type": "string", "pattern": "^(a|b)+$" }, { "type": "integer",
          "multipleOf": 3 }, { "type": "object", "minProperties": 1, "maxProperties": 2 }] },
        "one": { "oneOf": [{ "minimum": 3, "exclusiveMinimum": true }, { "maximum": 5 }] },
        "all": { "allOf": [{ "not": { "type": "null" } }, { "type": ["string", "integer"] }] } },
      "additionalProperties": { "type": "boolean" } })");
  }
  return Error(Errc::plugin, "no such plugin");
}

void check_error(const ConfigError& error, const std::vector<std::string_view>& lines) {
  const std::string line = error.to_string();
  for (std::size_t i = 0; i < line.size(); ++i) {
    demand(config::control_character(line, i) == 0, "an error holds a control character");
  }
  demand(!config::find_invalid_utf8(line), "an error is not UTF-8");
  demand(!error.message.empty(), "an error says nothing");
  if (error.line == 0) return;
  demand(error.line <= lines.size(), "an error is placed behind the last line");
  demand(error.column >= 1 && error.column <= lines[error.line - 1].size() + 1,
         "an error is placed behind the end of its line");
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> lines;
  for (;;) {
    const std::size_t end = text.find('\n');
    lines.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return lines;
    text.remove_prefix(end + 1);
  }
}

void check_config_of(const config::Config& config, const config::SchemaLookup& schemas) {
  demand(!config.type.empty() && config.type.size() <= 64, "a type that is no name");
  demand(config.pool.publish_sessions >= 1 && config.pool.consume_sessions >= 1, "an empty pool");
  demand(config.queue("x").max_deliveries >= 1, "a queue without deliveries");
  // What is handed to the plugin is what was checked; nothing is put into it once more.
  std::string options = config.options_of(config.type);
  for (std::size_t at = 0; (at = options.find("${", at)) != std::string::npos; at += 3) {
    options.insert(at, "$");
  }
  const std::string again = R"({ "message_queue": { "type": ")" + config.type + "\", \"" +
                            config.type + "\": " + options + " } }";
  demand(config::parse(again, "again", schemas).config.has_value(), "options that do not parse");
}

} // namespace

void try_config(std::string_view text) {
  const config::SchemaLookup schemas = [](std::string_view name, const std::vector<std::string>&,
                                          std::string_view) { return schema_of(name); };
  config::Environment environment;
  environment.variable = [](const std::string& name) -> std::optional<std::string> {
    if (name.size() > 2) return std::nullopt;
    return name.size() == 1 ? "7" : "\"${x}\\";
  };
  environment.folder = "/folder";
  const config::Parsed parsed = config::parse(text, "fuzz.json", schemas, environment);
  demand(parsed.config.has_value() == parsed.errors.empty(), "neither a config nor an error");
  const std::vector<std::string_view> lines = split(text);
  const ConfigError* last = nullptr;
  for (const ConfigError& error : parsed.errors) {
    check_error(error, lines);
    const bool ordered = last == nullptr || error.line == 0 || last->line < error.line ||
                         (last->line == error.line && last->column <= error.column);
    demand(ordered, "errors out of order");
    last = &error;
  }
  if (parsed.config) check_config_of(*parsed.config, schemas);
  const std::string clean = config::redact_json(text);
  demand(config::redact_json(clean) == clean || clean == config::kRedacted,
         "redacting again changes what is shown");
}

} // namespace swapmq::fuzz
