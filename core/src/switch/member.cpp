// SPDX-License-Identifier: MIT
#include "switch/member.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "config/document.h"
#include "config/redact.h"
#include "config/text.h"
#include "plugin/sha256.h"

namespace swapmq::switching {
namespace {

using config::Document;
using config::Kind;
using config::Node;

constexpr std::string_view mark = "x-swapmq-address";
constexpr std::size_t digest_length = 12; // hex digits: chance does not make two addresses one

bool is_address(const Node& option) {
  const Node* marked = option.find(mark);
  return marked != nullptr && marked->is_true();
}

/// Without who logs in: "redis://ann:secret@host" and "redis://host" are one place.
std::string without_login(std::string_view text) {
  std::string url(text);
  const std::size_t scheme = url.find("://");
  if (scheme == std::string::npos) return url;
  const std::size_t authority = scheme + 3;
  const std::size_t end = std::min(url.find_first_of("/?#", authority), url.size());
  const std::size_t at = url.substr(0, end).rfind('@');
  if (at != std::string::npos && at >= authority) url.erase(authority, at + 1 - authority);
  return url;
}

/// Equal for equal values.
std::string plain(const Node& value) {
  if (value.kind == Kind::string)
    return config::quoted(without_login(value.text), value.text.size());
  if (value.kind != Kind::array) return config::canonical(value);
  std::string all;
  for (const Node* each = value.first_child; each != nullptr; each = each->next) {
    all += plain(*each) + ",";
  }
  return "[" + all + "]";
}

std::string option(std::string_view key, const Node& value) {
  return std::string(key) + "=" + plain(value) + "\n";
}

/// What the schema marks; nothing if it marks none.
std::optional<std::string> marked_address(const Node& options, const Node& schema) {
  const Node* described = schema.find("properties");
  const Node* each = described != nullptr ? described->first_child : nullptr;
  std::optional<std::string> address;
  for (; each != nullptr; each = each->next) {
    if (!is_address(*each)) continue;
    if (!address) address.emplace();
    const Node* value = options.find(each->key);
    if (value == nullptr) value = each->find("default");
    if (value != nullptr) *address += option(each->key, *value);
  }
  return address;
}

} // namespace

std::string address_of(std::string_view options_json, std::string_view schema_json) {
  const Document options(options_json);
  const Document schema(schema_json);
  if (options.root() == nullptr) return {};
  if (schema.root() != nullptr) {
    if (auto address = marked_address(*options.root(), *schema.root())) return *address;
  }
  std::set<std::string> all; // in any order the same
  const Node* each = options.root()->first_child;
  for (; each != nullptr; each = each->next) {
    if (!config::is_secret_key(each->key)) all.insert(option(each->key, *each));
  }
  return std::accumulate(all.begin(), all.end(), std::string());
}

Member member_of(std::string name, std::string options_json, std::string_view schema_json) {
  const std::string address = address_of(options_json, schema_json);
  const std::string digest = plugin::sha256_hex(std::as_bytes(std::span(address)));
  Member member;
  member.key = name + "-" + digest.substr(0, digest_length);
  member.name = std::move(name);
  member.options = std::move(options_json);
  return member;
}

} // namespace swapmq::switching
