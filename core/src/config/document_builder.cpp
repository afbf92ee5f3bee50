// SPDX-License-Identifier: MIT
#include "config/document_builder.h"

namespace swapmq::config {

DocumentBuilder::DocumentBuilder(Document& document, std::string_view text)
    : document_(document), text_(text) {}

std::size_t DocumentBuilder::next_token() const {
  const std::size_t at = text_.find_first_not_of(" \t\r\n,:", last_end_);
  return at == std::string_view::npos ? text_.size() : at;
}

void DocumentBuilder::token(std::size_t begin, std::size_t end) {
  last_begin_ = begin;
  last_end_ = end;
}

std::size_t DocumentBuilder::string_end(std::size_t begin) const {
  std::size_t at = begin + 1;
  while (at < text_.size() && text_[at] != '"') at += text_[at] == '\\' ? 2 : 1;
  return at + 1;
}

std::string_view DocumentBuilder::keep(const char* chars, std::size_t length) {
  // Decoded, a string is never longer than in the text, so what is reserved is enough.
  std::vector<char>& store = document_.strings_;
  const std::size_t at = store.size();
  store.insert(store.end(), chars, chars + length);
  return {store.data() + at, length};
}

Node& DocumentBuilder::add(Kind kind) {
  Node& node = document_.nodes_.emplace_back();
  node.kind = kind;
  node.begin = next_token();
  if (open_.empty()) {
    document_.root_ = &node;
    return node;
  }
  Open& in = open_.back();
  node.parent = in.node;
  node.index = in.node->child_count++;
  if (in.node->kind == Kind::object) {
    node.key = key_;
    node.key_begin = key_begin_;
  }
  if (in.last_child == nullptr) {
    in.node->first_child = &node;
  } else {
    in.last_child->next = &node;
  }
  in.last_child = &node;
  return node;
}

bool DocumentBuilder::scalar(Kind kind, std::size_t length) {
  Node& node = add(kind);
  node.end = node.begin + length;
  node.text = text_.substr(node.begin, length);
  token(node.begin, node.end);
  return true;
}

bool DocumentBuilder::RawNumber(const char*, unsigned, bool) {
  // The reader's own copy lacks the exponent.
  const std::size_t begin = next_token();
  std::size_t end = text_.find_first_not_of("+-.eE0123456789", begin);
  if (end == std::string_view::npos) end = text_.size();
  const bool integer = text_.substr(begin, end - begin).find_first_of(".eE") == std::string::npos;
  return scalar(integer ? Kind::integer : Kind::number, end - begin);
}

bool DocumentBuilder::String(const char* chars, unsigned length, bool) {
  Node& node = add(Kind::string);
  node.end = string_end(node.begin);
  node.text = keep(chars, length);
  token(node.begin, node.end);
  return true;
}

bool DocumentBuilder::Key(const char* chars, unsigned length, bool) {
  key_begin_ = next_token();
  key_ = keep(chars, length);
  token(key_begin_, string_end(key_begin_));
  return true;
}

bool DocumentBuilder::open(Kind kind) {
  if (open_.size() >= kMaxDepth) {
    too_deep_ = true;
    return false;
  }
  Node& node = add(kind);
  open_.push_back({&node, nullptr});
  token(node.begin, node.begin + 1);
  return true;
}

bool DocumentBuilder::close() {
  const std::size_t at = next_token();
  open_.back().node->end = at + 1;
  open_.pop_back();
  token(at, at + 1);
  return true;
}

} // namespace swapmq::config
