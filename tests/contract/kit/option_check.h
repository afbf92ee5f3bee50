// SPDX-License-Identifier: MIT
//
// The backend's options, held to the schema that its plugin carries, as a host does it with those
// of a config.
#pragma once

#include <string>
#include <vector>

namespace swapmq::contract {

struct CheckedOptions {
  std::string json;               ///< as a host passes them: with paths absolute, and files read
  std::vector<std::string> wrong; ///< "POINTER: MESSAGE" each; empty: nothing
  std::string schema_error;       ///< the plugin's fault; empty: none
};

/// Without a schema, which a test finds, they are as they are.

CheckedOptions check_options(const std::string& options, const std::string& schema);

} // namespace swapmq::contract
