// SPDX-License-Identifier: MIT
//
// Where plugins are looked for. (The public plugin_search_path() is implemented here.)
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace swapmq::plugin {

inline constexpr std::string_view kPluginSuffix = ".so";

/// [a-z0-9_]{1,64}: nothing that could be a path.
bool is_plugin_name(std::string_view name);

/// What a config or an environment gave, safe to be put into one line of text: bounded, quoted,
/// everything unprintable escaped.
std::string shown(std::string_view text);

/// The files that `name` may be, in order.
std::vector<std::string> candidates(std::string_view name,
                                    std::span<const std::string> from_config);

} // namespace swapmq::plugin
