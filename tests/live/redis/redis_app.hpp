// SPDX-License-Identifier: MIT
//
// An application on redis_stream.
#pragma once

#include "../support/app_config.hpp"
#include "redis_setup.hpp"

namespace swapmq::live {

using AppConfig = ConfigOf<RedisOptions>;

} // namespace swapmq::live
