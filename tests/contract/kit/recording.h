// SPDX-License-Identifier: MIT
#pragma once

namespace swapmq::contract {

/// From now on every call of this process's kit through vt(), and through the tables of extensions
/// that it gives, is in the log of calls.
void record_calls();

} // namespace swapmq::contract
