// SPDX-License-Identifier: MIT
//
// What a config takes from its environment goes into the document before anything is checked.
#pragma once

#include "config/document.h"
#include "config/environment.h"

namespace swapmq::config {

/// Sets what the environment sets, then puts values in the place of `${NAME}` and
/// `${NAME:-default}` in every string. `$${` stands for `${`. The document has a root.
void substitute(Document& document, const Environment& environment, Findings& out);

} // namespace swapmq::config
