// SPDX-License-Identifier: MIT
//
// Changing a document that is parsed: what variables and files put in the place of what stands
// there.
#include <utility>

#include "config/document.h"

namespace swapmq::config {

std::string_view Document::keep(std::string text) { return kept_.emplace_back(std::move(text)); }

void Document::set_text(Node& node, std::string text) {
  node.kind = Kind::string;
  node.text = keep(std::move(text));
  node.first_child = nullptr;
  node.child_count = 0;
}

Node& Document::member(Node& object, std::string_view key) {
  Node* last = nullptr;
  for (const Node* each = object.first_child; each != nullptr; each = each->next) {
    last = &edit(*each);
    if (each->key == key) return *last;
  }
  Node& node = nodes_.emplace_back();
  node.begin = node.end = node.key_begin = text_.size();
  node.key = keep(std::string(key));
  node.parent = &object;
  node.index = object.child_count++;
  (last != nullptr ? last->next : object.first_child) = &node;
  return node;
}

void Document::graft(Node& node, Document value) {
  const Document& kept = *grafts_.emplace_back(std::make_unique<Document>(std::move(value)));
  const Node& root = *kept.root();
  node.kind = root.kind;
  node.text = root.text;
  node.first_child = root.first_child;
  node.child_count = root.child_count;
  for (const Node* each = root.first_child; each != nullptr; each = each->next) {
    edit(*each).parent = &node;
  }
}

} // namespace swapmq::config
