// SPDX-License-Identifier: MIT
#include "config_keys.h"

#include <rapidjson/document.h>
#include <rapidjson/pointer.h>
#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>

namespace swapmq::host {
namespace {

using rapidjson::Document;
using rapidjson::SizeType;
using rapidjson::Value;

const Value* member(const Value& object, const char* name) {
  if (!object.IsObject()) return nullptr;
  const auto found = object.FindMember(name);
  return found == object.MemberEnd() ? nullptr : &found->value;
}

std::string text_of(const Value& object, const char* name) {
  const Value* value = member(object, name);
  return value != nullptr && value->IsString() ? value->GetString() : std::string();
}

std::string json_of(const Value& value) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  value.Accept(writer);
  return buffer.GetString();
}

std::string json_of(const Value& object, const char* name) {
  const Value* value = member(object, name);
  return value != nullptr ? json_of(*value) : std::string();
}

/// The loader has parsed it: it is JSON.
Document parse(std::string_view schema) {
  Document document;
  document.Parse<rapidjson::kParseIterativeFlag>(schema.data(), schema.size());
  if (document.HasParseError()) document.SetObject();
  return document;
}

std::string joined(const Value& list, const char* between) {
  std::string text;
  for (const Value& each : list.GetArray()) {
    if (!text.empty()) text += between;
    text +=
        each.IsString() && std::string_view(between) == " or " ? each.GetString() : json_of(each);
  }
  return text;
}

/// "integer, 1 to 65535".
std::string type_words(const Value& schema) {
  if (const Value* words = member(schema, "enum"); words != nullptr && words->IsArray()) {
    return "one of " + joined(*words, ", ");
  }
  const Value* type = member(schema, "type");
  std::string words = "any";
  if (type != nullptr) words = type->IsArray() ? joined(*type, " or ") : type->GetString();
  if (const Value* items = member(schema, "items")) words += " of " + type_words(*items);
  const std::string least = json_of(schema, "minimum"), most = json_of(schema, "maximum");
  if (!least.empty() && !most.empty()) words += ", " + least + " to " + most;
  if (!least.empty() && most.empty()) words += ", " + least + " or more";
  if (least.empty() && !most.empty()) words += ", at most " + most;
  const std::string length = json_of(schema, "maxLength");
  if (!length.empty()) words += ", at most " + length + " characters";
  return words;
}

class Walk {
 public:
  Walk(const Value& root, std::vector<ConfigKey>& keys) : root_(root), keys_(keys) {}

  void object(const Value& schema, const std::string& path) {
    const Value* required = member(schema, "required");
    if (const Value* properties = member(schema, "properties")) {
      for (const auto& each : properties->GetObject()) {
        const bool needed = required != nullptr && contains(*required, each.name.GetString());
        key(resolved(each.value), path + each.name.GetString(), needed);
      }
    }
    const Value* others = member(schema, "additionalProperties");
    if (others != nullptr && member(*others, "properties") != nullptr)
      object(*others, path + "NAME.");
  }

 private:
  static bool contains(const Value& list, const std::string& name) {
    return std::any_of(list.Begin(), list.End(), [&](const Value& each) {
      return each.IsString() && each.GetString() == name;
    });
  }

  const Value& resolved(const Value& schema) const {
    const std::string reference = text_of(schema, "$ref");
    if (reference.empty()) return schema;
    const Value* found = rapidjson::Pointer(reference.c_str()).Get(root_);
    return found != nullptr ? *found : schema;
  }

  void key(const Value& schema, const std::string& path, bool required) {
    if (path.size() > longest_path) return; // a schema that refers to itself
    ConfigKey key;
    key.path = path;
    key.type = type_words(schema);
    key.description = text_of(schema, "description");
    key.unit = text_of(schema, "x-swapmq-unit");
    key.since = text_of(schema, "x-swapmq-since");
    key.default_value = json_of(schema, "default");
    key.example = json_of(schema, "x-swapmq-example");
    key.required = required;
    keys_.push_back(std::move(key));
    object(schema, path + ".");
  }

  static constexpr std::size_t longest_path = 256;
  const Value& root_;
  std::vector<ConfigKey>& keys_;
};

/// Within a larger schema, "#/definitions/X" of a plugin lies deeper.
void move_references(Value& schema, const std::string& to, Document::AllocatorType& allocator) {
  if (schema.IsArray()) {
    for (Value& each : schema.GetArray()) move_references(each, to, allocator);
  }
  if (!schema.IsObject()) return;
  for (auto& each : schema.GetObject()) {
    const bool reference =
        std::string_view(each.name.GetString()) == "$ref" && each.value.IsString();
    if (!reference) {
      move_references(each.value, to, allocator);
      continue;
    }
    const std::string moved = "#" + to + std::string(each.value.GetString()).substr(1);
    each.value.SetString(moved.c_str(), static_cast<SizeType>(moved.size()), allocator);
  }
}

std::string cell(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2) {
    text.insert(at, "\\");
  }
  return text;
}

std::string code(const std::string& text) { return text.empty() ? "" : "`" + cell(text) + "`"; }

} // namespace

std::vector<PluginDescription> plugins_found(const std::vector<std::string>& folders) {
  std::vector<PluginDescription> plugins;
  for (const PluginFound& found : list_plugins(folders)) {
    if (found.description) plugins.push_back(*found.description);
  }
  return plugins;
}

std::vector<ConfigKey> config_keys(const std::vector<PluginDescription>& plugins) {
  std::vector<ConfigKey> keys;
  const Document core = parse(config_schema());
  Walk(core, keys).object(core, "");
  for (const PluginDescription& plugin : plugins) {
    const Document schema = parse(plugin.options_schema);
    Walk(schema, keys).object(schema, "message_queue." + plugin.name + ".");
  }
  return keys;
}

std::string whole_config_schema(const std::vector<PluginDescription>& plugins) {
  Document whole = parse(config_schema());
  auto& allocator = whole.GetAllocator();
  Value& sections = whole["properties"]["message_queue"]["properties"];
  for (const PluginDescription& plugin : plugins) {
    const Document schema = parse(plugin.options_schema);
    Value section(schema, allocator);
    section.RemoveMember("$schema");
    move_references(section, "/properties/message_queue/properties/" + plugin.name, allocator);
    Value name(plugin.name.c_str(), static_cast<SizeType>(plugin.name.size()), allocator);
    sections.AddMember(name, section, allocator);
  }
  rapidjson::StringBuffer buffer;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer(buffer);
  writer.SetIndent(' ', 2);
  whole.Accept(writer);
  return std::string(buffer.GetString()) + "\n";
}

std::string config_reference(const std::vector<ConfigKey>& keys) {
  std::string page =
      "# Keys of the configuration\n\n"
      "Made by `swapmq config explain --markdown` from the schemas that the library "
      "and the plugins carry.\nNAME stands for any name.\n\n"
      "| key | type | default | unit | since | example | meaning |\n"
      "|---|---|---|---|---|---|---|\n";
  for (const ConfigKey& key : keys) {
    page += "| `" + key.path + "` | " + cell(key.type) + " | " +
            (key.required ? "required" : code(key.default_value)) + " | " + key.unit + " | " +
            key.since + " | " + code(key.example) + " | " + cell(key.description) + " |\n";
  }
  return page;
}

std::vector<ConfigKey> find_keys(const std::vector<ConfigKey>& keys, const std::string& text) {
  std::string path = text.starts_with('/') ? text.substr(1) : text;
  if (text.starts_with('/')) std::replace(path.begin(), path.end(), '/', '.');
  std::vector<ConfigKey> found;
  for (const ConfigKey& key : keys) {
    if (key.path == path) return {key};
    if (key.path.ends_with("." + path)) found.push_back(key);
  }
  return found;
}

} // namespace swapmq::host
