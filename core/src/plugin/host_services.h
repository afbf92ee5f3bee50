// SPDX-License-Identifier: MIT
//
// What the host lends to a plugin, as the ABI wants it: a table of C functions over a HostSink.
// Whatever a plugin passes is bounded and cleaned before the sink sees it; nothing throws.
#pragma once

#include "plugin/session.h"

namespace swapmq::plugin {

/// Valid as long as the sink.
swapmq_host lend(HostSink& sink);

/// [A-Za-z0-9._-]{1,255}: an identity that a plugin may use in names at its broker.
bool is_instance_name(std::string_view name);

} // namespace swapmq::plugin
