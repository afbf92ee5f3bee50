// SPDX-License-Identifier: MIT
//
// The keys of configurations, as the schemas of library and plugins describe them: what help, the
// reference and the schema for editors are made from, so that none of them can go stale.
#pragma once

#include <string>
#include <vector>

#include "swapmq/swapmq.hpp"

namespace swapmq::host {

struct ConfigKey {
  std::string path; ///< "message_queue.sqlite.path"; NAME stands for any name
  std::string type; ///< in words, with what may stand there
  std::string description, unit, since;
  std::string default_value, example; ///< as JSON; empty: there is none
  bool required = false;
};

/// Those that can be loaded, in the folders and in the usual ones.
std::vector<PluginDescription> plugins_found(const std::vector<std::string>& folders);

/// The options of a plugin are below message_queue.NAME. In the order of the schemas.
std::vector<ConfigKey> config_keys(const std::vector<PluginDescription>& plugins);

/// One JSON Schema of it all, in lines.
std::string whole_config_schema(const std::vector<PluginDescription>& plugins);

/// All keys as a page in Markdown.
std::string config_reference(const std::vector<ConfigKey>& keys);

/// Those that are or end as the text says, which may be a dotted path or a JSON pointer; the one
/// that is just that, if there is one.
std::vector<ConfigKey> find_keys(const std::vector<ConfigKey>& keys, const std::string& text);

} // namespace swapmq::host
