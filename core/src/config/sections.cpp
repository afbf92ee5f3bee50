// SPDX-License-Identifier: MIT
#include "config/sections.h"

#include <algorithm>

#include "config/core_check.h"
#include "config/suggest.h"
#include "config/text.h"

namespace swapmq::config {
namespace {

// Each costs a search for its plugin.
constexpr std::size_t kMostSections = 64;

std::string unusable(std::string_view plugin, const Schema& schema) {
  return "the options schema of plugin " + quoted(plugin) + " cannot be used: " + schema.error();
}

std::string unknown_key(std::string_view key) { return "unknown key " + quoted(key); }

} // namespace

Sections::Sections(const Document& document, const SchemaLookup& schemas, Adapter& adapter)
    : schemas_(schemas), adapter_(adapter) {
  const Node& root = *document.root();
  if (const Node* folders = root.find("plugin_path")) {
    for (const Node* each = folders->first_child; each != nullptr; each = each->next) {
      plugin_path_.emplace_back(each->text);
    }
  }
  if (const Node* plugins = root.find("plugins")) {
    for (const Node* each = plugins->first_child; each != nullptr; each = each->next) {
      pins_.emplace(each->key, each->find("sha256")->text);
    }
  }
}

Sections::Looked& Sections::look(std::string_view name) {
  const auto known = looked_.find(name);
  if (known != looked_.end()) return known->second;
  Looked& looked = looked_[std::string(name)];
  if (!schemas_) {
    looked.error = Error(Errc::plugin, "plugin " + quoted(name) + " cannot be looked for here");
    return looked;
  }
  const auto pin = pins_.find(name);
  const auto schema =
      schemas_(name, plugin_path_, pin == pins_.end() ? std::string_view() : pin->second);
  if (schema) {
    looked.schema = std::make_unique<Schema>(*schema);
  } else {
    looked.error = schema.error();
  }
  return looked;
}

void Sections::check(const Node& message_queue, const std::vector<const Node*>& sections,
                     Findings& out) {
  const Node* type = message_queue.find("type");
  if (type != nullptr && type->kind == Kind::string && is_plugin_name(type->text)) {
    active_ = type->text;
    check_active(message_queue, out);
  }
  for (std::size_t i = 0; i < sections.size() && out.size() < kMostFindings; ++i) {
    if (i == kMostSections) {
      out.push_back(at_key(*sections[i], "more than " + std::to_string(kMostSections) +
                                             " backends; remove those that are not used"));
      return;
    }
    check_section(message_queue, *sections[i], out);
  }
}

void Sections::check_active(const Node& message_queue, Findings& out) {
  const Node& type = *message_queue.find("type");
  const Looked& looked = look(active_);
  const bool has_section = message_queue.find(active_) != nullptr;
  if (!looked.schema) {
    std::string message = looked.error.message();
    if (const auto meant = listed_near(message_queue)) {
      message += "; did you mean " + quoted(*meant) + "?";
    }
    out.push_back(at_value(type, std::move(message)));
    out.back().code = Errc::plugin;
  } else if (!looked.schema->error().empty()) {
    if (has_section) return; // said there
    out.push_back(at_value(type, unusable(active_, *looked.schema)));
    out.back().code = Errc::plugin;
  } else if (!has_section) {
    check_missing(message_queue, *looked.schema, out);
  }
}

std::optional<std::string_view> Sections::listed_near(const Node& message_queue) const {
  std::vector<std::string_view> listed;
  const Node* each = message_queue.first_child;
  for (; each != nullptr; each = each->next) {
    if (each->kind == Kind::object && each->key != active_) listed.push_back(each->key);
  }
  return nearest(active_, listed);
}

void Sections::check_missing(const Node& message_queue, const Schema& schema, Findings& out) const {
  Document empty("{}");
  Adapter adapter(empty, {});
  Findings findings;
  Validator(schema, adapter).check(*empty.root(), findings);
  for (const Finding& finding : findings) {
    out.push_back(
        at_value(message_queue, "section " + quoted(active_) + " is needed: " + finding.message));
  }
}

void Sections::check_section(const Node& message_queue, const Node& section, Findings& out) {
  if (!is_plugin_name(section.key)) {
    std::string message = unknown_key(section.key);
    if (const auto meant = nearest(section.key, message_queue_keys())) {
      message += "; did you mean " + quoted(*meant) + "?";
    } else {
      message += "; a backend's section is named like its plugin, [a-z0-9_]{1,64}";
    }
    out.push_back(at_key(section, std::move(message)));
    return;
  }
  const Looked& looked = look(section.key);
  if (!looked.schema) {
    if (section.key == active_) return; // said at "type"
    const std::string why = mistake(message_queue, section);
    if (!why.empty()) out.push_back(at_key(section, unknown_key(section.key) + why));
  } else if (!looked.schema->error().empty()) {
    out.push_back(at_key(section, unusable(section.key, *looked.schema)));
    out.back().code = Errc::plugin;
  } else {
    Validator(*looked.schema, adapter_).check(section, out);
  }
}

std::string Sections::mistake(const Node& message_queue, const Node& section) const {
  const auto& top = top_level_keys();
  if (std::find(top.begin(), top.end(), section.key) != top.end()) {
    return "; it belongs at the top level, beside \"message_queue\"";
  }
  for (const std::string_view key : message_queue_keys()) {
    if (edit_distance(section.key, key, 2) <= 2) return "; did you mean " + quoted(key) + "?";
  }
  if (const auto meant = nearest(section.key, message_queue_keys())) {
    return "; did you mean " + quoted(*meant) + "?";
  }
  const bool active_is_bare = !active_.empty() && message_queue.find(active_) == nullptr;
  if (active_is_bare && edit_distance(section.key, active_, 2) <= 2) {
    return "; did you mean " + quoted(active_) + "?";
  }
  return {};
}

} // namespace swapmq::config
