// SPDX-License-Identifier: MIT
//
// Values of AMQP tables, which have types, as header values, which are bytes.
#pragma once

#include <amqp.h>

#include <string_view>

#include "network/arena.hpp"

namespace swapmq::rabbitmq {

/// Strings as they are, numbers in decimal, booleans as true and false, nothing as nothing; arrays
/// and tables as JSON. Points into the value or into `arena`.
std::string_view text_of_field(const amqp_field_value_t& value, network::Arena& arena);

} // namespace swapmq::rabbitmq
