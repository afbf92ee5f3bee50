// SPDX-License-Identifier: MIT
//
// Where a config leads, whether or not the rest of it is right.
#include <algorithm>
#include <utility>

#include "config/adapter.h"
#include "config/check.h"
#include "config/core_schema.h"
#include "config/file.h"
#include "config/substitute.h"
#include "config/text.h"
#include "config/url.h"
#include "config/validator.h"

namespace swapmq {

namespace {

using namespace config;

void take(const Node* node, std::string& to) {
  if (node != nullptr && node->kind == Kind::string && !node->bad_value) to = node->text;
}

/// The string after the key in a text that is not JSON.
std::string find_state_dir(std::string_view text) {
  constexpr std::string_view key = "\"state_dir\"", spaces = " \t\r\n";
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + key.size());
  for (const char expected : {':', '"'}) {
    text.remove_prefix(std::min(text.find_first_not_of(spaces), text.size()));
    if (!text.starts_with(expected)) return {};
    if (expected == ':') text.remove_prefix(1);
  }
  std::size_t end = 1;
  while (end < text.size() && text[end] != '"') end += text[end] == '\\' ? 2 : 1;
  const Document value(text.substr(0, std::min(end + 1, text.size())));
  return value.root() != nullptr ? std::string(value.root()->text) : std::string();
}

/// What the core's keys say once they are what the schema wants; what is wrong is for others to
/// say.
void settle(Document& document, const Environment& environment) {
  Findings ignored;
  substitute(document, environment, ignored);
  use_url(document, ignored);
  Adapter adapter(document, environment.folder);
  const auto any = [](const Node&, const Node&, Findings&) { return true; };
  Validator(core_schema(), adapter, any).check(*document.root(), ignored);
}

ConfigOutline outline_of(const Document& document) {
  ConfigOutline outline;
  const Node& root = *document.root();
  if (const Node* message_queue = root.find("message_queue")) {
    take(message_queue->find("type"), outline.type);
  }
  take(root.find("state_dir"), outline.state_dir);
  const Node* path = root.find("plugin_path");
  const Node* each = path != nullptr ? path->first_child : nullptr;
  for (; each != nullptr; each = each->next) {
    if (each->kind == Kind::string) outline.plugin_path.emplace_back(each->text);
  }
  return outline;
}

} // namespace

Result<ConfigOutline> outline_config(const std::string& path,
                                     const std::vector<ConfigOverride>& overrides) {
  auto environment = environment_with(overrides);
  if (!environment) return environment.error();
  std::string text(path.empty() ? embedded_default() : "");
  if (!path.empty()) {
    const std::string trouble = read_file(path, kMaxTextBytes + 3, text);
    if (!trouble.empty()) return Error(Errc::config, path + ": " + trouble);
    environment->folder = folder_of(path);
  }
  const std::string_view json = without_byte_order_mark(text);
  if (json.size() > kMaxTextBytes) {
    return Error(Errc::config, path + ": too large: a config has at most " +
                                   std::to_string(kMaxTextBytes) + " bytes");
  }
  Document document(json);
  if (document.root() == nullptr) {
    // In a document of its own the path gets its folder as usual.
    const std::string state_dir = find_state_dir(json);
    if (state_dir.empty()) return ConfigOutline{};
    Document found("{}");
    Node& node = found.member(found.edit(*found.root()), "state_dir");
    found.set_text(node, state_dir);
    settle(found, *environment);
    return outline_of(found);
  }
  settle(document, *environment);
  return outline_of(document);
}

} // namespace swapmq
