// SPDX-License-Identifier: MIT
//
// Where config and plugins meet.
#pragma once

#include "config/config.h"

namespace swapmq::config {

/// Looks a plugin up as the runtime would and gives the schema that it carries.
SchemaLookup plugin_schemas();

} // namespace swapmq::config
