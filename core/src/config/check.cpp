// SPDX-License-Identifier: MIT
#include "config/check.h"

#include <utility>

#include "config/core_schema.h"
#include "plugin/plugin.h"

namespace swapmq {

std::vector<ConfigError> check_config(const std::string& path,
                                      const std::vector<ConfigOverride>& overrides) {
  return config::read(path, overrides).errors;
}

Result<std::string> effective_config(const std::string& path,
                                     const std::vector<ConfigOverride>& overrides) {
  config::Parsed parsed = config::read(path, overrides);
  std::string shown = std::move(parsed.shown);
  const auto config = config::checked(std::move(parsed));
  if (!config) return config.error();
  return shown;
}

std::string_view config_schema() { return config::core_schema_json(); }

} // namespace swapmq

namespace swapmq::config {

SchemaLookup plugin_schemas() {
  return [](std::string_view name, const std::vector<std::string>& plugin_path,
            std::string_view sha256) -> Result<std::string> {
    plugin::LoadRequest request;
    request.name_or_path = name;
    request.plugin_path = plugin_path;
    request.sha256 = sha256;
    const auto loaded = plugin::Plugin::load(request);
    if (!loaded) return loaded.error();
    return (*loaded)->description().options_schema;
  };
}

Result<Environment> environment_with(const std::vector<ConfigOverride>& overrides) {
  Environment environment = process_environment();
  for (const ConfigOverride& override : overrides) {
    auto set = override_by_key(override.key, override.value);
    if (!set) return set.error();
    environment.overrides.push_back(std::move(*set));
  }
  return environment;
}

Parsed read(const std::string& path, const std::vector<ConfigOverride>& overrides) {
  auto environment = environment_with(overrides);
  if (!environment) {
    return {{}, {{"--set", 0, 0, {}, environment.error().message(), Errc::config}}, {}};
  }
  if (path.empty()) {
    return parse(embedded_default(), "<embedded default>", plugin_schemas(), *environment);
  }
  return parse_file(path, plugin_schemas(), std::move(*environment));
}

Parsed read_text(std::string_view json, const std::string& name) {
  return parse(json, name, plugin_schemas(), process_environment());
}

Result<Config> checked(Parsed parsed) {
  if (parsed.errors.empty()) return std::move(*parsed.config);
  std::string text;
  for (const ConfigError& error : parsed.errors) {
    if (!text.empty()) text += '\n';
    text += error.to_string();
  }
  return Error(parsed.errors.size() == 1 ? parsed.errors.front().code : Errc::config,
               std::move(text));
}

} // namespace swapmq::config
