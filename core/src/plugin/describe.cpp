// SPDX-License-Identifier: MIT
//
// Plugins described to people: names and grades as words, the public functions that list them.
#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
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

using Words = std::array<const char*, 4>;
constexpr Words grades{"absent", "emulated", "native"};

struct Capability {
  const char* name;
  std::int32_t swapmq_capabilities::*value;
  Words words; ///< of its values, from 0; more of it is a larger value
};

constexpr std::array<Capability, 13> capability_table{{
    {"durability", &swapmq_capabilities::durability, {"none", "process", "power", "replicated"}},
    {"ordering", &swapmq_capabilities::ordering, {"none", "queue", "key"}},
    {"sharing", &swapmq_capabilities::sharing, {"process", "machine", "network"}},
    {"delayed_publish", &swapmq_capabilities::delayed_publish, grades},
    {"delayed_nack", &swapmq_capabilities::delayed_nack, grades},
    {"ttl", &swapmq_capabilities::ttl, grades},
    {"priority", &swapmq_capabilities::priority, grades},
    {"release", &swapmq_capabilities::release, grades},
    {"dead_letter", &swapmq_capabilities::dead_letter, grades},
    {"deduplication", &swapmq_capabilities::deduplication, grades},
    {"purge", &swapmq_capabilities::purge, grades},
    {"counts_crashes", &swapmq_capabilities::counts_crashes, grades},
    {"max_length", &swapmq_capabilities::max_length, grades},
}};

/// A value out of range cannot come here: grades were checked.
std::string word(const Words& words, std::int32_t value) {
  const auto index = static_cast<std::size_t>(value);
  return index < words.size() && words[index] != nullptr ? words[index] : std::to_string(value);
}

} // namespace

std::vector<CapabilityValue> capability_words(const swapmq_capabilities& capabilities,
                                              const swapmq_limits& limits) {
  std::vector<CapabilityValue> all;
  all.reserve(capability_table.size() + 1);
  for (const Capability& each : capability_table) {
    all.push_back({each.name, word(each.words, capabilities.*each.value)});
  }
  // Ours, wherever there can be a queue of the name QUEUE@GROUP.
  const char* alphabet = limits.queue_name_alphabet;
  const bool names_groups = alphabet == nullptr || std::strchr(alphabet, '@') != nullptr;
  all.push_back({"groups", grades[names_groups ? SWAPMQ_EMULATED : SWAPMQ_ABSENT]});
  return all;
}

std::vector<CapabilityChange> capability_changes(const swapmq_capabilities& before,
                                                 const swapmq_capabilities& after) {
  std::vector<CapabilityChange> changes;
  for (const Capability& each : capability_table) {
    const std::int32_t had = before.*each.value;
    const std::int32_t has = after.*each.value;
    if (had == has) continue;
    // What is emulated instead of native does the same; with these the next word does less.
    const bool graded = each.words[0] == grades[0];
    const bool lost = graded ? has == SWAPMQ_ABSENT : has < had;
    changes.push_back({each.name, word(each.words, had), word(each.words, has), lost});
  }
  return changes;
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
