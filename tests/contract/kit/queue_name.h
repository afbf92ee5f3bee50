// SPDX-License-Identifier: MIT
#pragma once

#include <string>
#include <string_view>

namespace swapmq::contract {

/// A queue name that nobody else has, in the alphabet and the length that the backend allows;
/// `hint` is in it as far as they do.
std::string fresh_queue_name(std::string_view hint);

} // namespace swapmq::contract
