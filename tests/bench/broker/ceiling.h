// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <vector>

#include "contender.h"

namespace bench {

/// Threads that are woken and block, once a message, without any broker: a group by one call of the
/// kernel, or each by one of its own. They touch no ids.
std::vector<RawVariant> woken_together(std::size_t threads);
std::vector<RawVariant> woken_apart(std::size_t threads);

} // namespace bench
