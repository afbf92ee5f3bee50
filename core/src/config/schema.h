// SPDX-License-Identifier: MIT
//
// A JSON Schema (draft 4) as the core and the plugins carry one. Read and checked once: a construct
// that the validator does not know is an error here, never ignored.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "config/document.h"
#include "config/pattern.h"

namespace swapmq::config {

class Schema {
 public:
  explicit Schema(std::string_view json);
  Schema(const Schema&) = delete;
  Schema& operator=(const Schema&) = delete;
  ~Schema() = default;

  /// Why it cannot be used; empty if it can.
  [[nodiscard]] const std::string& error() const { return error_; }
  [[nodiscard]] const Node& root() const { return *document_.root(); }
  /// What a "$ref" stands for; null if it leads nowhere. Only "#" and "#/definitions/NAME".
  [[nodiscard]] const Node* resolve(std::string_view reference) const;
  /// Whether the text has a match of the "pattern" at this node.
  [[nodiscard]] bool matches(const Node& pattern, std::string_view text) const;

 private:
  void check_schema(const Node& schema);
  void check_keyword(const Node& keyword);
  void check_form(const Node& keyword, int form);
  void check_types(const Node& keyword);
  void check_pattern(const Node& keyword);
  void check_reference(const Node& schema);
  void check_members(const Node& keyword);
  void check_list(const Node& keyword, Kind each);
  void wrong(const Node& at, const std::string& why);

  Document document_;
  std::string error_;
  std::map<const Node*, std::unique_ptr<const Pattern>> patterns_;
};

} // namespace swapmq::config
