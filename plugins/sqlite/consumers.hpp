// SPDX-License-Identifier: MIT
//
// Consumers and their signs of life. A consumer holds claims until it settles them, gives them
// back, or is found dead: its lease ran out, its process ended, or the machine was started anew
// since.
#pragma once

#include <cstdint>

#include "database.hpp"
#include "swapmq/backend.hpp"

namespace swapmq::sqlite {

/// Makes a consumer within the running write transaction, and returns its number.
int64_t register_consumer(Database& database, int64_t lease_ms);
/// When its lease ends, in boot_now_ms(); -1: there is no such consumer (any more).
int64_t lease_end_ms(Database& database, int64_t consumer);
/// Within the running write transaction. False if there is no such consumer (any more).
bool renew_lease(Database& database, int64_t consumer, int64_t lease_ms);

/// Gives back what dead consumers hold, of every queue in the file. Writes only if there are any.
void return_claims_of_the_dead(Database& database, const backend::Host& host);

} // namespace swapmq::sqlite
