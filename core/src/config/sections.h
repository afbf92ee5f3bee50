// SPDX-License-Identifier: MIT
//
// The sections of the backends inside message_queue, checked against the schemas of their plugins.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/adapter.h"
#include "config/config.h"
#include "config/document.h"
#include "config/schema.h"
#include "config/validator.h"

namespace swapmq::config {

/// For one check of one document whose plugin_path and plugins are right.
class Sections {
 public:
  Sections(const Document& document, const SchemaLookup& schemas, Adapter& adapter);

  /// The active plugin must be there. A section of a plugin that is not installed is accepted as it
  /// is (a broker listed for later), unless its name is probably a mistake.
  void check(const Node& message_queue, const std::vector<const Node*>& sections, Findings& out);

 private:
  struct Looked {
    Error error;                    ///< why there is no plugin
    std::unique_ptr<Schema> schema; ///< if there is one; perhaps not usable
  };

  Looked& look(std::string_view name);
  void check_active(const Node& message_queue, Findings& out);
  void check_section(const Node& message_queue, const Node& section, Findings& out);
  void check_missing(const Node& message_queue, const Schema& schema, Findings& out) const;
  /// The section that "type" was probably meant to name.
  [[nodiscard]] std::optional<std::string_view> listed_near(const Node& message_queue) const;
  /// What an uninstalled plugin's name was probably meant to be; empty: take it as it is.
  [[nodiscard]] std::string mistake(const Node& message_queue, const Node& section) const;

  const SchemaLookup& schemas_;
  Adapter& adapter_;
  std::vector<std::string> plugin_path_;
  std::map<std::string, std::string, std::less<>> pins_;
  std::map<std::string, Looked, std::less<>> looked_;
  std::string_view active_;
};

} // namespace swapmq::config
