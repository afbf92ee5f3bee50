// SPDX-License-Identifier: MIT
//
// "did you mean ...?"
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace swapmq::config {

/// Damerau-Levenshtein (adjacent letters swapped count once), case and '-' against '_' ignored.
/// Gives limit + 1 as soon as it is more than the limit.
std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit);

/// The candidate that was probably meant, if one is near enough.
std::optional<std::string_view> nearest(std::string_view word,
                                        std::span<const std::string_view> candidates);

/// `; did you mean "path"?`, else `; known here: "a", "b"`, else `; none is allowed here`.
std::string suggestion(std::string_view word, std::span<const std::string_view> candidates);

} // namespace swapmq::config
