// SPDX-License-Identifier: MIT
//
// The plugin under test, and what it says of itself with the options of this run. Set once by main.
// A program that has several says which one is meant.
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

/// The one that this thread uses: that of the process, unless a Using lives.
Kit& kit();

/// While it lives, all that this thread does with the harness is about another plugin.
class Using {
 public:
  explicit Using(Kit& other);
  ~Using();
  Using(const Using&) = delete;
  Using& operator=(const Using&) = delete;

 private:
  Kit* before_;
};

inline const swapmq_backend_vtable& vt() { return *kit().vtable; }
inline const swapmq_capabilities& can() { return kit().capabilities; }
inline const swapmq_limits& limits() { return kit().limits; }

/// Loads the plugin and, unless told otherwise, asks an opened backend what it is. An empty string,
/// or what went wrong.
std::string load_plugin(const Options& options);
std::string describe_backend();

} // namespace swapmq::contract
