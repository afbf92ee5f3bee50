// SPDX-License-Identifier: MIT
//
// The plugin under test, and what it says of itself with the options of this run. Set once by main.
#pragma once

#include <memory>
#include <string>

#include "options.h"
#include "swapmq/backend.h"

namespace swapmq::plugin {
class Plugin;
}

namespace swapmq::contract {

struct Kit {
  Options options; ///< {dir} is replaced
  std::shared_ptr<const plugin::Plugin> plugin;
  const swapmq_backend_vtable* vtable = nullptr; ///< full size; absent slots are stubs
  std::string path;                              ///< of the shared object
  std::string name;
  swapmq_capabilities capabilities{};
  swapmq_limits limits{};
};

/// The one of this process.
Kit& kit();

inline const swapmq_backend_vtable& vt() { return *kit().vtable; }
inline const swapmq_capabilities& can() { return kit().capabilities; }
inline const swapmq_limits& limits() { return kit().limits; }

/// Loads the plugin and, unless told otherwise, asks an opened backend what it is. An empty string,
/// or what went wrong.
std::string load_plugin(const Options& options);
std::string describe_backend();

} // namespace swapmq::contract
