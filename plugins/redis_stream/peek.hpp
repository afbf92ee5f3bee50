// SPDX-License-Identifier: MIT
//
// Showing what is ready, and changing nothing.
#pragma once

#include <cstddef>
#include <memory>

#include "keys.hpp"
#include "link.hpp"
#include "swapmq/backend.hpp"

namespace swapmq::redis {

/// `most`: that one script may look at. Null: none is ready.
std::unique_ptr<backend::Batch> peek(Link& link, const QueueKeys& keys,
                                     const backend::PeekArgs& args, std::size_t most);

} // namespace swapmq::redis
