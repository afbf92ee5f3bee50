// SPDX-License-Identifier: MIT
//
// The handshake: from a plugin's entry to a vtable of this host's size that is safe to call, and to
// a description whose every string, size and grade was looked at.
#pragma once

#include <cstdint>
#include <string>

#include "swapmq/backend.h"
#include "swapmq/swapmq.hpp"

namespace swapmq::plugin {

/// What this host speaks; a parameter so that the future can be tested.
struct HostAbi {
  std::uint32_t newest = SWAPMQ_ABI_VERSION;
  std::uint32_t oldest = SWAPMQ_ABI_MAKE(SWAPMQ_ABI_MAJOR, SWAPMQ_ABI_OLDEST_MINOR);
};

struct Negotiated {
  swapmq_backend_vtable vtable{}; ///< complete: optional slots that were missing are stubs
  swapmq_capabilities capabilities{};
  swapmq_limits limits{};
  PluginDescription description; ///< all but the path
};

/// Errors have code plugin; their text does not name the plugin or its file.
Result<Negotiated> negotiate(swapmq_backend_entry_fn entry, const std::string& name,
                             const HostAbi& host = {});

/// "0.1"
std::string abi_text(std::uint32_t version);

/// What is wrong with values that a plugin gave; empty: nothing.
std::string wrong_capabilities(const swapmq_capabilities& capabilities);
std::string wrong_limits(const swapmq_limits& limits);

} // namespace swapmq::plugin
