// SPDX-License-Identifier: MIT
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <utility>

#include "config/document.h"

namespace swapmq::config {

const Node* Node::find(std::string_view name) const {
  for (const Node* child = first_child; child != nullptr; child = child->next) {
    if (child->key == name) return child;
  }
  return nullptr;
}

std::string pointer_step(std::string_view key) {
  std::string out = "/";
  const bool cut = key.size() > kMaxKeyBytes;
  for (const char c : key.substr(0, cut ? 32 : key.size())) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return cut ? out + "..." : out;
}

std::string pointer_of(const Node& node) {
  std::vector<const Node*> path;
  for (const Node* at = &node; at->parent != nullptr; at = at->parent) path.push_back(at);
  std::string out;
  for (auto at = path.rbegin(); at != path.rend(); ++at) {
    const bool member = (*at)->parent->kind == Kind::object;
    out += member ? pointer_step((*at)->key) : "/" + std::to_string((*at)->index);
  }
  return out;
}

long double number_of(const Node& node) {
  const char* begin = node.text.data();
  const char* end = begin + node.text.size();
  if (node.kind == Kind::integer) {
    std::int64_t negative = 0;
    if (std::from_chars(begin, end, negative).ec == std::errc()) {
      return static_cast<long double>(negative);
    }
    std::uint64_t positive = 0;
    std::from_chars(begin, end, positive);
    return static_cast<long double>(positive);
  }
  double value = 0;
  std::from_chars(begin, end, value);
  return static_cast<long double>(value);
}

namespace {

/// Of the node or of what it stands in.
std::string origin_of(const Node& node) {
  const Node* at = &node;
  while (at != nullptr && at->origin.empty()) at = at->parent;
  return at != nullptr ? std::string(at->origin) : std::string();
}

} // namespace

Finding at_value(const Node& node, std::string message) {
  return {node.begin, pointer_of(node), std::move(message), Errc::config, {}, origin_of(node)};
}

Finding at_key(const Node& node, std::string message) {
  return {node.key_begin, pointer_of(node), std::move(message), Errc::config, {}, origin_of(node)};
}

std::string canonical(const Node& node) {
  switch (node.kind) {
    case Kind::null:
      return "n";
    case Kind::boolean:
      return std::string(node.text.substr(0, 1));
    case Kind::integer:
    case Kind::number: {
      char text[64];
      const long double value = number_of(node);
      std::snprintf(text, sizeof text, "#%La", value == 0 ? 0.0L : value);
      return text;
    }
    case Kind::string:
      return std::to_string(node.text.size()) + ":" + std::string(node.text);
    case Kind::array:
    case Kind::object:
      break;
  }
  std::vector<std::string> parts;
  for (const Node* child = node.first_child; child != nullptr; child = child->next) {
    std::string part;
    if (node.kind == Kind::object) {
      part = std::to_string(child->key.size()) + ":" + std::string(child->key) + "=";
    }
    parts.push_back(part + canonical(*child));
  }
  if (node.kind == Kind::object) std::sort(parts.begin(), parts.end());
  std::string out = node.kind == Kind::object ? "{" : "[";
  for (const std::string& part : parts) out += part + ",";
  return out + (node.kind == Kind::object ? '}' : ']');
}

} // namespace swapmq::config
