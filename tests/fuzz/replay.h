// SPDX-License-Identifier: MIT
//
// A corpus, and mutations of it that are the same on every run: what any compiler can do of
// fuzzing.
#pragma once

#include <span>
#include <string_view>

namespace swapmq::fuzz {

using TryOne = void (*)(std::string_view input);

/// The main() of a replay: tries all that is in the files and folders, then mutations of it, in
/// which the tokens turn up. Arguments: MUTATIONS FILE-or-FOLDER...
int replay(TryOne try_one, std::span<const std::string_view> tokens, int count, char** arguments);

} // namespace swapmq::fuzz
