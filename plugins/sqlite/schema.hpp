// SPDX-License-Identifier: MIT
//
// The tables of the database file: made where there are none, recognised and checked where there
// are. README.md tells what each of them means.
#pragma once

#include "database.hpp"

namespace swapmq::sqlite {

/// "swmq": marks a database as ours.
constexpr int64_t kApplicationId = 0x73776d71;
constexpr int64_t kSchemaVersion = 1;

/// Leaves the file with the schema of this version, or throws Failure: CONFLICT for a database that
/// is not ours or newer than we are, CORRUPT for a damaged one.
void prepare_schema(Database& database);

} // namespace swapmq::sqlite
