// SPDX-License-Identifier: MIT
//
// The operations that settle what a consumer holds.
#pragma once

#include "world.h"

namespace swapmq::differential {

/// ack, nack, nack-delayed, nack-near, release, reject
void settle(World& world, const Operation& operation);
/// Settles some, each in its own way, and receives.
void exchange(World& world, const Operation& operation);
void settle_again(World& world, const Operation& operation);

} // namespace swapmq::differential
