// SPDX-License-Identifier: MIT
//
// A connection to Redis that comes back.
#pragma once

#include "connection.hpp"
#include "dialer.hpp"
#include "network/link.hpp"

namespace swapmq::redis {

using Link = network::Link<Connection, Dialer>;

} // namespace swapmq::redis
