// SPDX-License-Identifier: MIT
//
// A loaded plugin: found, trusted, mapped, negotiated with. Immutable and never unmapped once
// loaded, so that everything it handed out stays callable.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "swapmq/backend.h"
#include "swapmq/swapmq.hpp"

namespace swapmq::plugin {

class SealedCopy;

struct LoadRequest {
  std::string name_or_path;             ///< a bare name [a-z0-9_]{1,64}; a path only if allow_path
  std::vector<std::string> plugin_path; ///< folders of the config, searched first
  std::string sha256;                   ///< 64 hex digits; empty: not pinned
  bool allow_path = false;              ///< config never may; the command line may
};

class Plugin {
 public:
  /// Errors have code plugin (or invalid_argument for an impossible name) and list what was tried.
  /// The same file loads once; a changed one loads beside the old. Where a message queue is open in
  /// this process, one that is new to it is tried in another process first (probe/trial.h).
  static Result<std::shared_ptr<const Plugin>> load(const LoadRequest& request);

  /// Maps and negotiates, without looking for a file: `path` is where these bytes come from.
  static Result<std::shared_ptr<const Plugin>> adopt(std::unique_ptr<SealedCopy> image,
                                                     const std::string& name,
                                                     const std::string& path);

  virtual ~Plugin() = default;
  Plugin(const Plugin&) = delete;
  Plugin& operator=(const Plugin&) = delete;

  /// Full size of this host's ABI; what the plugin lacks is stubbed.
  [[nodiscard]] const swapmq_backend_vtable& vtable() const { return vtable_; }
  /// Full size; zero where the plugin is older. Checked: strings exist, grades are known.
  [[nodiscard]] const swapmq_capabilities& capabilities() const { return capabilities_; }
  [[nodiscard]] const swapmq_limits& limits() const { return limits_; }
  [[nodiscard]] const PluginDescription& description() const { return description_; }
  /// The bytes that it was mapped from.
  [[nodiscard]] virtual const SealedCopy& image() const = 0;

 protected:
  Plugin() = default;
  swapmq_backend_vtable vtable_{};
  swapmq_capabilities capabilities_{};
  swapmq_limits limits_{};
  PluginDescription description_;
};

/// Names and grades as words, for descriptions and differences.
std::vector<CapabilityValue> capability_words(const swapmq_capabilities& capabilities,
                                              const swapmq_limits& limits);
/// What is not the same with another backend, in the order of the words.
std::vector<CapabilityChange> capability_changes(const swapmq_capabilities& before,
                                                 const swapmq_capabilities& after);
std::vector<LimitValue> limit_values(const swapmq_limits& limits);

} // namespace swapmq::plugin
