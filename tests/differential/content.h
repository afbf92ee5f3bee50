// SPDX-License-Identifier: MIT
//
// What is in the messages, made from seeds.
#pragma once

#include <cstdint>
#include <vector>

#include "operation.h"
#include "rules.h"

namespace swapmq::differential {

/// The messages of a publish. `first` numbers them, so that each id is new; `far_ms` and `near_ms`
/// are when the delayed are due. With `bounded` there is none that has expired already: whether
/// those take room is nobody's business.
std::vector<contract::Message> make_messages(const Operation& operation, const Powers& powers,
                                             std::uint64_t first, std::int64_t far_ms,
                                             std::int64_t near_ms, bool bounded);

/// What a reject adds; some of it replaces what rich messages have.
contract::Headers reject_headers(std::uint64_t seed);

} // namespace swapmq::differential
