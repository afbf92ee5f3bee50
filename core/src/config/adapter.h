// SPDX-License-Identifier: MIT
//
// Makes what stands in a config into what its schema wants at that place.
#pragma once

#include <string>

#include "config/document.h"

namespace swapmq::config {

/// For the check of one document, which it changes.
class Adapter {
 public:
  /// Relative paths begin in that folder; empty: they stay as they are.
  Adapter(Document& document, std::string folder)
      : document_(document), folder_(std::move(folder)) {}

  /// Before the value is held to a schema. What came out of a variable becomes a number or a
  /// boolean where only that will do, and a string again where a string will; {"file": "..."}
  /// becomes what the file holds, where a string is wanted and no object is. A file that cannot be
  /// read is an error, and the value is bad then.
  void fit(const Node& value, const Node& schema, Findings& out);
  /// After it was: a relative path, as the schema says that it is one, gets its folder.
  void place(const Node& value, const Node& schema);

 private:
  void read_file(Node& value, Findings& out);
  [[nodiscard]] std::string placed(std::string_view path) const;

  Document& document_;
  const std::string folder_;
};

} // namespace swapmq::config
