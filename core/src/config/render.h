// SPDX-License-Identifier: MIT
//
// A node as JSON text.
#pragma once

#include <string>

#include "config/document.h"

namespace swapmq::config {

/// Without white space between tokens; numbers as written.
std::string to_json(const Node& node);

/// In lines, for people. Secrets are `***`, what came from a file is the name of the file again.
std::string to_shown_json(const Node& node);

} // namespace swapmq::config
