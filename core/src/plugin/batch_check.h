// SPDX-License-Identifier: MIT
//
// Looks at a batch that a plugin handed over before anybody believes it.
#pragma once

#include <cstddef>
#include <string>

#include "swapmq/backend.h"

namespace swapmq::plugin {

/// Whether batch->release may be called at all.
bool is_releasable(const swapmq_batch* batch);

/// The rule that a releasable batch breaks, and where; empty: none. Elements larger than this
/// host's are fine.
std::string broken_rule(const swapmq_batch& batch, std::size_t max_messages);

} // namespace swapmq::plugin
