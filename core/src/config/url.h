// SPDX-License-Identifier: MIT
#pragma once

#include "config/document.h"

namespace swapmq::config {

/// A "url" beside "type" belongs to the section of the backend that its scheme names, and names the
/// type where there is none. The root is an object.
void use_url(Document& document, Findings& out);

} // namespace swapmq::config
