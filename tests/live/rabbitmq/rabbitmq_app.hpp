// SPDX-License-Identifier: MIT
//
// An application on rabbitmq.
#pragma once

#include "../support/app_config.hpp"
#include "rabbitmq_setup.hpp"

namespace swapmq::live {

using RabbitmqApp = ConfigOf<RabbitmqOptions>;

} // namespace swapmq::live
