// SPDX-License-Identifier: MIT
#include "config_file.h"

#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace swapmq::host {
namespace {

// However deep it is, it must not overflow the stack; what is wrong with it, the library says.
constexpr unsigned parse_flags =
    rapidjson::kParseIterativeFlag | rapidjson::kParseFullPrecisionFlag;

const rapidjson::Value* member(const rapidjson::Value& object, const char* name) {
  if (!object.IsObject()) return nullptr;
  const auto found = object.FindMember(name);
  return found == object.MemberEnd() ? nullptr : &found->value;
}

rapidjson::Value text_value(std::string_view text, rapidjson::Document& owner) {
  return {text.data(), static_cast<rapidjson::SizeType>(text.size()), owner.GetAllocator()};
}

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};

} // namespace

Result<std::string> read_config_text(const std::string& path) {
  const std::unique_ptr<std::FILE, CloseFile> file(std::fopen(path.c_str(), "rbe"));
  if (file == nullptr) return Error(Errc::config, path + ": " + std::strerror(errno));
  std::string text;
  std::array<char, 16384> piece{};
  for (std::size_t got = 0; (got = std::fread(piece.data(), 1, piece.size(), file.get())) > 0;) {
    text.append(piece.data(), got);
  }
  if (std::ferror(file.get()) != 0) return Error(Errc::config, path + ": " + std::strerror(errno));
  return text;
}

ConfigSummary summarize_config(std::string_view json) {
  ConfigSummary summary;
  rapidjson::Document document;
  document.Parse<parse_flags>(json.data(), json.size());
  if (document.HasParseError()) return summary;
  const rapidjson::Value* queue = member(document, "message_queue");
  const rapidjson::Value* type = queue == nullptr ? nullptr : member(*queue, "type");
  if (type != nullptr && type->IsString()) summary.type = type->GetString();
  const rapidjson::Value* path = member(document, "plugin_path");
  if (path == nullptr || !path->IsArray()) return summary;
  for (const rapidjson::Value& folder : path->GetArray()) {
    if (folder.IsString()) summary.plugin_path.emplace_back(folder.GetString());
  }
  return summary;
}

std::string with_log_level(std::string_view json, std::string_view level) {
  rapidjson::Document document;
  document.Parse<parse_flags>(json.data(), json.size());
  if (document.HasParseError() || !document.IsObject()) return std::string(json);
  if (member(document, "log") == nullptr) {
    document.AddMember("log", rapidjson::Value(rapidjson::kObjectType), document.GetAllocator());
  }
  rapidjson::Value& log = document["log"];
  if (!log.IsObject()) return std::string(json);
  log.RemoveMember("level");
  log.AddMember("level", text_value(level, document), document.GetAllocator());
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  document.Accept(writer);
  return {buffer.GetString(), buffer.GetSize()};
}

std::string default_config_with_log_level(std::string_view level) {
  return with_log_level(
      R"({"message_queue":{"type":"sqlite","sqlite":{"path":"./swapmq-data/queues.db"}}})", level);
}

} // namespace swapmq::host
