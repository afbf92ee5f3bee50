// SPDX-License-Identifier: MIT
//
// The operations that are about a queue as a whole, and publishing.
#pragma once

#include "world.h"

namespace swapmq::differential {

void create(World& world, unsigned queue);
void publish(World& world, const Operation& operation);
void purge(World& world, unsigned queue);
void remove(World& world, unsigned queue);
void compare_sizes(World& world, unsigned queue);

} // namespace swapmq::differential
