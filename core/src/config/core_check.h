// SPDX-License-Identifier: MIT
//
// Everything that can be wrong with a config beyond JSON: the core's keys, names of queues, and the
// sections of the backends.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/adapter.h"
#include "config/config.h"
#include "config/document.h"
#include "config/validator.h"

namespace swapmq::config {

/// For one check of one document that has a root. Changes it into what the schemas want.
class CoreCheck {
 public:
  /// Relative paths begin in the folder.
  CoreCheck(Document& document, const SchemaLookup& schemas, std::string folder)
      : document_(document), schemas_(schemas), adapter_(document, std::move(folder)) {}

  /// Adds to what is wrong already. Findings are not sorted.
  void run(Findings& out);

 private:
  bool on_additional(const Node& object, const Node& member, Findings& out);
  void check_queue_names(Findings& out) const;
  void check_switching(Findings& out) const;
  void check_queue(const Node& queue, Findings& out) const;
  void check_twice(const Node& queues, const Node& queue, Findings& out) const;
  /// The name of the queue that a name or a role means; empty if that is wrong.
  [[nodiscard]] std::string_view queue_named(std::string_view name) const;

  Document& document_;
  const SchemaLookup& schemas_;
  Adapter adapter_;
  std::vector<const Node*> sections_; ///< members of message_queue that may be a backend's
};

/// Whether this may be the name of a plugin.
bool is_plugin_name(std::string_view name);
/// The names in "properties" at the top of the core's schema, or inside message_queue.
const std::vector<std::string_view>& top_level_keys();
const std::vector<std::string_view>& message_queue_keys();

} // namespace swapmq::config
