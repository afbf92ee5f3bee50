// SPDX-License-Identifier: MIT
#include "config/adapter.h"

#include <filesystem>
#include <utility>

#include "config/file.h"
#include "config/text.h"

namespace swapmq::config {
namespace {

constexpr std::size_t kMostSecretBytes = std::size_t{64} * 1024;

/// The schema has a type.
bool wants(const Node& schema, std::string_view name) {
  const Node* type = schema.find("type");
  if (type->kind == Kind::string) return type->text == name;
  for (const Node* each = type->first_child; each != nullptr; each = each->next) {
    if (each->text == name) return true;
  }
  return false;
}

/// What the text is when it is read as JSON.
Kind kind_of(std::string_view text) {
  const Document json(text);
  const bool good = json.root() != nullptr && json.findings().empty();
  const bool whole = good && json.root()->end - json.root()->begin == text.size();
  return whole ? json.root()->kind : Kind::string;
}

bool names_a_file(const Node& value) {
  return value.kind == Kind::object && value.child_count == 1 && value.first_child->key == "file" &&
         value.first_child->kind == Kind::string;
}

std::string without_line_end(std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();
  return text;
}

} // namespace

void Adapter::fit(const Node& value, const Node& schema, Findings& out) {
  if (schema.find("type") == nullptr) return; // it says nothing of that
  const bool text = wants(schema, "string");
  if (names_a_file(value) && text && !wants(schema, "object")) {
    return read_file(document_.edit(value), out);
  }
  if (!value.substituted) return;
  Kind kind = Kind::string;
  if (!text) {
    const Kind read = kind_of(value.text);
    const bool boolean = read == Kind::boolean && wants(schema, "boolean");
    const bool integer =
        read == Kind::integer && (wants(schema, "integer") || wants(schema, "number"));
    const bool number = read == Kind::number && wants(schema, "number");
    if (boolean || integer || number) kind = read;
  }
  document_.edit(value).kind = kind;
}

void Adapter::read_file(Node& value, Findings& out) {
  const std::string path = placed(value.first_child->text);
  std::string text;
  std::string why = config::read_file(path, kMostSecretBytes, text);
  if (why.empty()) {
    if (text.size() > kMostSecretBytes) why = "is too large: more than 65536 bytes";
    text = without_line_end(std::move(text));
    if (text.empty()) why = "is empty";
    if (text.find('\0') != std::string::npos) why = "holds a NUL byte";
    if (find_invalid_utf8(text)) why = "is not UTF-8";
  }
  value.secret = true;
  if (!why.empty()) {
    out.push_back(at_value(value, "the file " + quoted(path, path.size()) + " " + why));
    value.bad_value = true;
    return;
  }
  value.file = document_.keep(path);
  document_.set_text(value, std::move(text));
}

void Adapter::place(const Node& value, const Node& schema) {
  const Node* path = schema.find("x-swapmq-path");
  if (path == nullptr || !path->is_true() || value.kind != Kind::string || value.placed) return;
  Node& node = document_.edit(value);
  node.placed = true;
  std::string at = placed(value.text);
  if (at != value.text) document_.set_text(node, std::move(at));
}

std::string Adapter::placed(std::string_view path) const {
  const std::filesystem::path relative(path);
  if (path.empty() || folder_.empty() || relative.is_absolute()) return std::string(path);
  return (std::filesystem::path(folder_) / relative).lexically_normal().string();
}

} // namespace swapmq::config
