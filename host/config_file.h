// SPDX-License-Identifier: MIT
//
// The little that the program itself needs to know of a configuration; the library checks and uses
// it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "swapmq/swapmq.hpp"

namespace swapmq::host {

struct ConfigSummary {
  std::string type;
  std::vector<std::string> plugin_path;
  std::string state_dir;
};

/// Never waits (for a pipe's writer, say) nor reads more than a config may have. Errors: config, in
/// the library's words.
Result<std::string> read_config_text(const std::string& path);
/// What can be found in the text; empty where it is not what it should be.
ConfigSummary summarize_config(std::string_view json);
/// The state_dir of a text that need not be JSON: whoever broke the file while its host runs wants
/// to ask that host. Empty: none is found.
std::string find_state_dir(std::string_view text);
/// The same configuration with another log level; the text as it is, if it is no JSON object.
std::string with_log_level(std::string_view json, std::string_view level);
/// The embedded default, with a log level.
std::string default_config_with_log_level(std::string_view level);

} // namespace swapmq::host
