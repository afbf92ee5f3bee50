// SPDX-License-Identifier: MIT
#include "config/check.h"

#include "plugin/plugin.h"

namespace swapmq {

std::vector<ConfigError> check_config(const std::string& path) {
  return config::parse_file(path, config::plugin_schemas()).errors;
}

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

} // namespace swapmq::config
