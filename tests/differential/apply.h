// SPDX-License-Identifier: MIT
//
// Doing an operation in a world: on both sides, and comparing. Each throws Breach at a difference.
#pragma once

#include "world.h"

namespace swapmq::differential {

/// Whether it means anything now: nobody can ack what nobody holds.
bool applicable(World& world, const Operation& operation);
void apply(World& world, const Operation& operation);
/// The end of every sequence: all that the queues still hold is fetched and compared.
void finish(World& world);

} // namespace swapmq::differential
