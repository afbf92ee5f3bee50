// SPDX-License-Identifier: MIT
//
// Configurations, without opening anything. Part of swapmq.hpp, which says what holds for all of
// it.
//
// A config is a JSON file. Before it is checked, the environment variables SWAPMQ_SET__a__b=value
// and then the caller's overrides set what they name, and ${NAME} or ${NAME:-default} in any string
// is replaced by the environment's value; a number or a boolean may come from there, too. Where a
// string is wanted, {"file": "/run/secrets/x"} stands for what the file holds. Relative paths begin
// in the folder of the config file, or without a file in the working directory. The environment is
// read like getenv() does: not beside a setenv() in another thread.
#ifndef SWAPMQ_CONFIG_HPP
#define SWAPMQ_CONFIG_HPP

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "swapmq/error.hpp"

namespace swapmq {

/// A place in a configuration and what is wrong there.
struct ConfigError {
  std::string file;
  std::size_t line = 0, column = 0; ///< from 1; 0: the file as a whole
  std::string pointer;              ///< JSON pointer, RFC 6901
  std::string message;
  Errc code = Errc::config; ///< or plugin, when it is the plugin that cannot be used

  /// "FILE:LINE:COLUMN: POINTER: MESSAGE"
  [[nodiscard]] SWAPMQ_API std::string to_string() const;
};

/// A key that is set over what the file and the environment say.
struct ConfigOverride {
  std::string key;   ///< "message_queue.type", or as a JSON pointer "/message_queue/type"
  std::string value; ///< a string, number or boolean as it is; what begins with {, [ or " is JSON
};

/// All that is wrong with a file, the options of its backends included; empty: nothing. Here and
/// below, an empty path stands for the embedded default. Blocks for reading files and loading
/// plugins.
SWAPMQ_API std::vector<ConfigError> check_config(const std::string& path,
                                                 const std::vector<ConfigOverride>& overrides = {});

/// All that a config sets, with the values of variables and overrides in their places, as JSON in
/// lines; `***` for secrets, the names of files for what is read from them. Errors: those of
/// MessageQueue::try_open() of a config that cannot be used. Blocks as check_config().
SWAPMQ_API Result<std::string> effective_config(const std::string& path,
                                                const std::vector<ConfigOverride>& overrides = {});

/// Where a config leads; what it does not say is empty.
struct ConfigOutline {
  std::string type;
  std::vector<std::string> plugin_path;
  std::string state_dir;
};

/// Also of a config that is wrong elsewhere. Of a text that is not JSON only the state_dir can be
/// found: whoever broke the file of a running host wants to ask that host. Loads nothing. Errors:
/// config, the file cannot be read.
SWAPMQ_API Result<ConfigOutline> outline_config(const std::string& path,
                                                const std::vector<ConfigOverride>& overrides = {});

/// The keys that every config shares, as JSON Schema (draft 4). The sections of backends are in
/// PluginDescription::options_schema.
SWAPMQ_API std::string_view config_schema();

} // namespace swapmq

#endif // SWAPMQ_CONFIG_HPP
