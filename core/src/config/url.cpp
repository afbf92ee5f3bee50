// SPDX-License-Identifier: MIT
//
// The one place of the core that knows backends by name: the schemes that URLs of theirs have. Any
// other scheme is the name of its plugin.
#include "config/url.h"

#include <array>
#include <string>

#include "config/core_check.h"
#include "config/text.h"

namespace swapmq::config {
namespace {

struct Scheme {
  std::string_view name;
  std::string_view backend;
  std::string_view option; ///< that gets the URL
  bool whole;              ///< or else what follows "NAME:" or "NAME://"
};

constexpr std::array<Scheme, 6> kSchemes = {{
    {"redis", "redis_stream", "url", true},
    {"rediss", "redis_stream", "url", true},
    {"amqp", "rabbitmq", "url", true},
    {"amqps", "rabbitmq", "url", true},
    {"sqlite", "sqlite", "path", false},
    {"memory", "memory", "name", false},
}};

Scheme scheme_of(std::string_view url) {
  const std::string_view name = url.substr(0, url.find(':'));
  for (const Scheme& scheme : kSchemes) {
    if (scheme.name == name) return scheme;
  }
  return {name, name, "url", true};
}

std::string_view place_of(std::string_view url, const Scheme& scheme) {
  if (scheme.whole) return url;
  url.remove_prefix(scheme.name.size() + 1);
  if (url.starts_with("//")) url.remove_prefix(2);
  return url;
}

/// Stands where the URL stands.
Node& derived(Document& document, Node& object, std::string_view key, const Node& url) {
  Node& node = document.member(object, key);
  node.begin = node.key_begin = url.begin;
  node.end = url.end;
  node.origin = url.origin;
  node.secret = url.secret;
  node.file = url.file;
  return node;
}

} // namespace

void use_url(Document& document, Findings& out) {
  const Node* found = document.root()->find("message_queue");
  const Node* url = found != nullptr && found->kind == Kind::object ? found->find("url") : nullptr;
  if (url == nullptr || url->kind != Kind::string || url->bad_value) return;
  const Scheme scheme = scheme_of(url->text);
  if (url->text.find(':') == std::string_view::npos || !is_plugin_name(scheme.backend)) {
    out.push_back(
        at_value(*url,
                 "it names no backend; a URL begins as redis://, amqp://, sqlite: or with "
                 "the name of another plugin"));
    return;
  }
  Node& message_queue = document.edit(*found);
  if (message_queue.find("type") == nullptr) {
    document.set_text(derived(document, message_queue, "type", *url), std::string(scheme.backend));
  }
  const Node* section = message_queue.find(scheme.backend);
  if (section != nullptr && section->kind != Kind::object) return; // which is said elsewhere
  if (section == nullptr) {
    Node& made = derived(document, message_queue, scheme.backend, *url);
    made.kind = Kind::object;
    section = &made;
  } else if (section->find(scheme.option) != nullptr) {
    out.push_back(at_value(*url, "the section " + quoted(scheme.backend) + " has a " +
                                     quoted(scheme.option) + " as well; remove one"));
    return;
  }
  const std::string place(place_of(url->text, scheme));
  if (place.empty()) return; // the backend's default
  document.set_text(derived(document, document.edit(*section), scheme.option, *url), place);
}

} // namespace swapmq::config
