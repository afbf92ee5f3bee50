// SPDX-License-Identifier: MIT
#include "swapmq/swapmq.hpp"

namespace swapmq {

std::string_view version() { return SWAPMQ_VERSION; }

} // namespace swapmq
