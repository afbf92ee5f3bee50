// SPDX-License-Identifier: MIT
//
// The core's locks: those that it offers to backends, too.
#pragma once

#include "swapmq/backend_locks.hpp"

namespace swapmq {

using backend::Condition;
using backend::Lock;
using backend::Mutex;

} // namespace swapmq
