// SPDX-License-Identifier: MIT
#include "config/render.h"

#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include "config/redact.h"

namespace swapmq::config {
namespace {

using rapidjson::SizeType;

template <class Writer>
void put_text(Writer& out, std::string_view text) {
  out.String(text.data(), static_cast<SizeType>(text.size()));
}

rapidjson::Type json_type(Kind kind) {
  if (kind == Kind::null) return rapidjson::kNullType;
  return kind == Kind::boolean ? rapidjson::kTrueType : rapidjson::kNumberType;
}

/// `own` puts what is not put as it is, and says whether it did.
template <class Writer, class Own>
void put(Writer& out, const Node& node, const Own& own) {
  if (own(node)) return;
  if (node.kind == Kind::array) {
    out.StartArray();
    for (const Node* each = node.first_child; each != nullptr; each = each->next) {
      put(out, *each, own);
    }
    out.EndArray();
  } else if (node.kind == Kind::object) {
    out.StartObject();
    for (const Node* each = node.first_child; each != nullptr; each = each->next) {
      out.Key(each->key.data(), static_cast<SizeType>(each->key.size()));
      put(out, *each, own);
    }
    out.EndObject();
  } else if (node.kind == Kind::string) {
    put_text(out, node.text);
  } else {
    const std::string_view text = node.kind == Kind::null ? "null" : node.text;
    out.RawValue(text.data(), text.size(), json_type(node.kind));
  }
}

} // namespace

std::string to_json(const Node& node) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> out(buffer);
  put(out, node, [](const Node&) { return false; });
  return {buffer.GetString(), buffer.GetSize()};
}

std::string to_shown_json(const Node& node) {
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> out(buffer);
  out.SetIndent(' ', 2);
  put(out, node, [&](const Node& each) {
    if (!each.file.empty()) {
      out.StartObject();
      out.Key("file");
      put_text(out, each.file);
      out.EndObject();
    } else if (is_secret(each)) {
      put_text(out, kRedacted);
    } else if (each.kind == Kind::string) {
      put_text(out, redact_text(each.text));
    } else {
      return false;
    }
    return true;
  });
  return {buffer.GetString(), buffer.GetSize()};
}

} // namespace swapmq::config
