// SPDX-License-Identifier: MIT
#include "config/redact.h"

#include <algorithm>
#include <array>

#include "config/text.h"

namespace swapmq::config {
namespace {

constexpr std::array<std::string_view, 14> kSecretWords = {
    "password", "passwd", "passphrase", "pwd",       "secret", "token",      "credential",
    "apikey",   "auth",   "privatekey", "accesskey", "cookie", "encryptkey", "userinfo"};

/// Lower case, letters and digits only.
std::string plain(std::string_view key) {
  std::string out;
  for (const char c : key) {
    if (c >= 'A' && c <= 'Z') {
      out += static_cast<char>(c - 'A' + 'a');
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      out += c;
    }
  }
  return out;
}

bool name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

/// NAME=VALUE, up to the next separator, where NAME is a secret's.
std::string redact_parameters(std::string_view text) {
  std::string out;
  std::size_t name_begin = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] == '=' && is_secret_key(text.substr(name_begin, i - name_begin))) {
      out += '=';
      out += kRedacted;
      i = std::min(text.find_first_of("&;, \t\r\n", i + 1), text.size());
      name_begin = i;
      continue;
    }
    if (!name_character(text[i])) name_begin = i + 1;
    out += text[i++];
  }
  return out;
}

std::string_view kind_words(Kind kind) {
  switch (kind) {
    case Kind::null:
      return "null";
    case Kind::boolean:
      return "a boolean";
    case Kind::integer:
      return "an integer";
    case Kind::number:
      return "a number";
    case Kind::string:
      return "a string";
    case Kind::array:
      return "an array";
    case Kind::object:
      break;
  }
  return "an object";
}

class Redactor {
 public:
  explicit Redactor(const Document& document) : document_(document) {}

  std::string run() {
    const Node& root = *document_.root();
    walk(root);
    out_ += document_.source(root).substr(copied_ - root.begin);
    return std::move(out_);
  }

 private:
  void replace(const Node& node, std::string_view by) {
    const Node& root = *document_.root();
    out_ += document_.source(root).substr(copied_ - root.begin, node.begin - copied_);
    out_ += by;
    copied_ = node.end;
  }

  void walk(const Node& node) {
    if (copied_ == 0) copied_ = document_.root()->begin;
    if (node.parent != nullptr && node.parent->kind == Kind::object && is_secret_key(node.key)) {
      replace(node, '"' + std::string(kRedacted) + '"');
      return;
    }
    if (node.kind == Kind::string) {
      const std::string clean = redact_text(node.text);
      if (clean != node.text) replace(node, quoted(clean, clean.size() + 1));
    }
    for (const Node* child = node.first_child; child != nullptr; child = child->next) walk(*child);
  }

  const Document& document_;
  std::string out_;
  std::size_t copied_ = 0;
};

} // namespace

bool is_secret_key(std::string_view key) {
  const std::string name = plain(key);
  return std::any_of(kSecretWords.begin(), kSecretWords.end(), [&](std::string_view word) {
    // "auth" alone or at the end: "author" and "authority" are no secrets.
    if (word == "auth") return name.ends_with(word) || name.starts_with("authorization");
    return name.find(word) != std::string::npos;
  });
}

bool is_secret(const Node& node) {
  for (const Node* at = &node; at != nullptr; at = at->parent) {
    if (at->secret) return true;
    if (at->parent != nullptr && at->parent->kind == Kind::object && is_secret_key(at->key)) {
      return true;
    }
  }
  return false;
}

std::string redact_text(std::string_view text) {
  const std::size_t at = text.rfind('@');
  if (at == std::string_view::npos) return redact_parameters(text);
  const std::size_t scheme = text.substr(0, at).find("://");
  std::string out;
  if (scheme != std::string_view::npos) out = text.substr(0, scheme + 3);
  out += kRedacted;
  return out + redact_parameters(text.substr(at));
}

std::string redact_json(std::string_view json) {
  if (json.size() > kMaxTextBytes) return std::string(kRedacted);
  const Document document(json);
  if (document.root() == nullptr) return std::string(kRedacted);
  return Redactor(document).run();
}

std::string shown(const Node& node) {
  if (node.kind == Kind::array || node.kind == Kind::object || node.kind == Kind::null ||
      is_secret(node)) {
    return std::string(kind_words(node.kind));
  }
  if (node.kind == Kind::string) return "the string " + quoted(redact_text(node.text), 48);
  constexpr std::size_t kMostDigits = 32;
  if (node.text.size() > kMostDigits) return std::string(node.text.substr(0, kMostDigits)) + "...";
  return std::string(node.text);
}

} // namespace swapmq::config
