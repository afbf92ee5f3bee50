// SPDX-License-Identifier: MIT
//
// The core's own keys. Their one source is config/swapmq.schema.json, built into the library: what
// checks a config, what editors use, and what help is made from.
#pragma once

#include <string_view>

#include "config/schema.h"

namespace swapmq::config {

std::string_view core_schema_json();
const Schema& core_schema();

} // namespace swapmq::config
