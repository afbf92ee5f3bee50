// SPDX-License-Identifier: MIT
//
// The core's own keys. Their one source is core_schema.json, built into the library: what checks a
// config, and what the schema for editors, the reference and help are made from.
#pragma once

#include <string_view>

#include "config/schema.h"

namespace swapmq::config {

std::string_view core_schema_json();
const Schema& core_schema();

} // namespace swapmq::config
