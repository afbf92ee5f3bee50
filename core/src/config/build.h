// SPDX-License-Identifier: MIT
//
// From a document in which nothing is wrong to a Config.
#pragma once

#include <string>

#include "config/config.h"
#include "config/document.h"

namespace swapmq::config {

Config build(const Document& document, const std::string& file);

} // namespace swapmq::config
