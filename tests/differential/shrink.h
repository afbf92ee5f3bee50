// SPDX-License-Identifier: MIT
//
// Making a sequence that shows a difference as short and as plain as it can be.
#pragma once

#include <chrono>
#include <functional>

#include "run.h"

namespace swapmq::differential {

/// Runs a sequence anew; what it shows.
using Trial = std::function<std::optional<Difference>(const Operations&)>;

/// Leaves out ever smaller parts, then makes each operation plainer, until no single operation can
/// be left out, not even if another one does more. Ends early, with the shortest until then, when
/// `until` has come.
Difference shrink(Difference found, const Trial& trial,
                  std::chrono::steady_clock::time_point until);

} // namespace swapmq::differential
