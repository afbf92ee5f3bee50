// SPDX-License-Identifier: MIT
//
// Keeping secrets out of what people see.
#pragma once

#include <string>
#include <string_view>

#include "config/document.h"

namespace swapmq::config {

inline constexpr std::string_view kRedacted = "***";

/// Whether a key of that name holds a secret: password, secret, token, api_key, ... in any
/// spelling.
bool is_secret_key(std::string_view key);

/// Whether its value is a secret: because of where it came from, or because of a key at or above
/// it.
bool is_secret(const Node& node);

/// The text without what may be a secret in it: the user information of URLs (everything before an
/// '@') and the values of parameters with a secret's name.
std::string redact_text(std::string_view text);

/// A JSON text with the values of secret keys and the secrets inside strings replaced, and
/// otherwise as it was. Of what is not JSON nothing is shown.
std::string redact_json(std::string_view json);

/// A value for a message, e.g. `the string "abc"`, `5`, `an object`; without secrets, also where a
/// key above it says that it is one.
std::string shown(const Node& node);

} // namespace swapmq::config
