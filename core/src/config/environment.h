// SPDX-License-Identifier: MIT
//
// What a config takes from outside of its file.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "swapmq/swapmq.hpp"

namespace swapmq::config {

/// A key that is set by somebody else than the file.
struct Override {
  std::vector<std::string> path; ///< the steps from the root
  std::string value;
  std::string origin; ///< who set it, in words for errors
};

struct Environment {
  /// The value of a variable; none: it is not set.
  std::function<std::optional<std::string>(const std::string& name)> variable;
  /// Later ones win.
  std::vector<Override> overrides;
  /// Where relative paths begin; empty: in the working directory.
  std::string folder;
};

/// SWAPMQ_SET__a__b=value sets /a/b. `name` is what follows "SWAPMQ_SET__".
Override override_by_variable(std::string_view name, std::string_view value);
/// A dotted path, or a JSON pointer for keys with dots in them. Error: config.
Result<Override> override_by_key(std::string_view key, std::string_view value);

/// That of the process. Like getenv(), not beside a setenv() in another thread.
Environment process_environment();

} // namespace swapmq::config
