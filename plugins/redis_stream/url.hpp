// SPDX-License-Identifier: MIT
//
// redis://, rediss:// and unix:// URLs, as Redis' own tools write them.
#pragma once

#include <string_view>

#include "options.hpp"

namespace swapmq::redis {

/// Sets endpoint, username, password and database from the URL. Throws Failure(INVALID_ARGUMENT);
/// its text never quotes the URL, which may hold a password.
void apply_url(std::string_view url, Options& options);

} // namespace swapmq::redis
