// SPDX-License-Identifier: MIT
//
// Plugins that are not there: schemas by name, and what was asked for.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace swapmq::config {

class FakePlugins {
 public:
  struct Asked {
    std::string name;
    std::vector<std::string> plugin_path;
    std::string sha256;
  };

  /// memory, sqlite and redis_stream are installed; rabbitmq and the rest are not.
  FakePlugins();
  void install(const std::string& name, const std::string& schema) { schemas_[name] = schema; }
  [[nodiscard]] SchemaLookup lookup();
  [[nodiscard]] const std::vector<Asked>& asked() const { return asked_; }

 private:
  std::map<std::string, std::string> schemas_;
  std::vector<Asked> asked_;
};

/// Each as "LINE:COLUMN: POINTER: MESSAGE", without the file.
std::vector<std::string> lines_of(const std::vector<ConfigError>& errors);
/// What is wrong with a text, checked against the fakes.
std::vector<std::string> errors_of(std::string_view json);
/// What is wrong with a value by a schema.
std::vector<std::string> violations(std::string_view schema, std::string_view value);
/// "" or why the schema cannot be used.
std::string schema_trouble(std::string_view schema);

} // namespace swapmq::config
