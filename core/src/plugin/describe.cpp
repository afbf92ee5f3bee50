// SPDX-License-Identifier: MIT
//
// Plugins described to people: names and grades as words, the public functions that list them.
#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <set>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "plugin/plugin.h"
#include "plugin/search.h"

namespace swapmq {
namespace plugin {
namespace {

/// Zero is the first word. A value out of range cannot come here: grades were checked.
std::string word(std::int32_t value, std::initializer_list<const char*> words) {
  const auto index = static_cast<std::size_t>(value);
  return index < words.size() ? words.begin()[index] : std::to_string(value);
}

std::string grade(std::int32_t value) { return word(value, {"absent", "emulated", "native"}); }

} // namespace

std::vector<CapabilityValue> capability_words(const swapmq_capabilities& c) {
  return {
      {"durability", word(c.durability, {"none", "process", "power", "replicated"})},
      {"ordering", word(c.ordering, {"none", "queue", "key"})},
      {"sharing", word(c.sharing, {"process", "machine", "network"})},
      {"delayed_publish", grade(c.delayed_publish)},
      {"delayed_nack", grade(c.delayed_nack)},
      {"ttl", grade(c.ttl)},
      {"priority", grade(c.priority)},
      {"release", grade(c.release)},
      {"dead_letter", grade(c.dead_letter)},
      {"deduplication", grade(c.deduplication)},
      {"purge", grade(c.purge)},
      {"counts_crashes", grade(c.counts_crashes)},
      {"max_length", grade(c.max_length)},
  };
}

std::vector<LimitValue> limit_values(const swapmq_limits& limits) {
  return {
      {"max_queue_name_bytes", limits.max_queue_name_bytes},
      {"max_body_bytes", limits.max_body_bytes},
      {"max_headers_bytes", limits.max_headers_bytes},
      {"max_header_count", limits.max_header_count},
      {"max_publish_batch", limits.max_publish_batch},
      {"max_receive_batch", limits.max_receive_batch},
      {"max_priority", limits.max_priority},
      {"max_delay_ms", static_cast<std::uint64_t>(limits.max_delay_ms)},
  };
}

namespace {

Result<PluginDescription> describe(const LoadRequest& request) {
  const auto loaded = Plugin::load(request);
  if (!loaded) return loaded.error();
  return (*loaded)->description();
}

/// The plugin names of a folder's files, in order; none if it cannot be read.
std::vector<std::string> names_in(const std::string& folder) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    const std::filesystem::path& path = entry->path();
    if (path.extension() != kPluginSuffix) continue;
    if (is_plugin_name(path.stem().string())) names.push_back(path.stem().string());
  }
  std::ranges::sort(names);
  return names;
}

} // namespace
} // namespace plugin

std::vector<PluginFound> list_plugins(std::span<const std::string> from_config) {
  std::vector<PluginFound> found;
  std::set<std::string> seen;
  for (const std::string& folder : plugin_search_path(from_config)) {
    for (const std::string& name : plugin::names_in(folder)) {
      if (!seen.insert(name).second) continue;
      std::string path = (std::filesystem::path(folder) / (name + ".so")).string();
      auto description = plugin::describe({path, {}, {}, true});
      found.push_back({name, std::move(path), std::move(description)});
    }
  }
  return found;
}

Result<PluginDescription> describe_plugin(std::string_view name_or_path,
                                          std::span<const std::string> from_config) {
  plugin::LoadRequest request;
  request.name_or_path = name_or_path;
  request.plugin_path.assign(from_config.begin(), from_config.end());
  request.allow_path = true;
  return plugin::describe(request);
}

} // namespace swapmq
