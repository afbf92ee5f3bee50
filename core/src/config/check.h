// SPDX-License-Identifier: MIT
//
// Where config, plugins and the environment of the process meet.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace swapmq::config {

/// Looks a plugin up as the runtime would and gives the schema that it carries.
SchemaLookup plugin_schemas();

/// That of the process, and what the caller sets. Error: config, one names no key.
Result<Environment> environment_with(const std::vector<ConfigOverride>& overrides);

/// Of a file; an empty path: the embedded default.
Parsed read(const std::string& path, const std::vector<ConfigOverride>& overrides);
Parsed read_text(std::string_view json, const std::string& name);

/// The config, or all errors in one.
Result<Config> checked(Parsed parsed);

} // namespace swapmq::config
