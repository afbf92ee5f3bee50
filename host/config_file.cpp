// SPDX-License-Identifier: MIT
#include "config_file.h"

#include <fcntl.h>
#include <rapidjson/document.h>
#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

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

/// As much as the library reads of a config: a byte order mark may come on top of 1 MiB.
constexpr std::size_t most_bytes = (std::size_t{1} << 20) + 3;

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

std::string kind_trouble(mode_t mode) {
  if (S_ISREG(mode)) return {};
  if (S_ISDIR(mode)) return "is a directory; name a file";
  if (S_ISFIFO(mode)) return "is a pipe; a config must be a regular file";
  return "is a device or a socket; a config must be a regular file";
}

/// Appends all of it to `text`; the trouble, if any.
std::string read_all(int descriptor, std::string& text) {
  std::array<char, 16384> piece{};
  for (;;) {
    const ssize_t got = ::read(descriptor, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::string("cannot be read: ") + std::strerror(errno);
    if (got == 0) return {};
    text.append(piece.data(), static_cast<std::size_t>(got));
    if (text.size() > most_bytes) return "too large: a config has at most 1048576 bytes";
  }
}

std::string read_file(const std::string& path, std::string& text) {
  struct stat about {};
  // Before opening, since opening alone can have effects on a device.
  if (::stat(path.c_str(), &about) != 0) {
    return std::string("cannot be found: ") + std::strerror(errno);
  }
  if (std::string trouble = kind_trouble(about.st_mode); !trouble.empty()) return trouble;
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.number() < 0) return std::string("cannot be opened: ") + std::strerror(errno);
  // Again: what was opened may be another file.
  if (::fstat(file.number(), &about) != 0) {
    return std::string("cannot be read: ") + std::strerror(errno);
  }
  if (std::string trouble = kind_trouble(about.st_mode); !trouble.empty()) return trouble;
  return read_all(file.number(), text);
}

} // namespace

Result<std::string> read_config_text(const std::string& path) {
  std::string text;
  const std::string trouble = read_file(path, text);
  if (!trouble.empty()) return Error(Errc::config, path + ": " + trouble);
  return text;
}

namespace {

void take(const rapidjson::Value* from, std::string& to) {
  if (from != nullptr && from->IsString()) to = from->GetString();
}

} // namespace

ConfigSummary summarize_config(std::string_view json) {
  ConfigSummary summary;
  rapidjson::Document document;
  document.Parse<parse_flags>(json.data(), json.size());
  if (document.HasParseError()) return summary;
  const rapidjson::Value* queue = member(document, "message_queue");
  const rapidjson::Value* type = queue == nullptr ? nullptr : member(*queue, "type");
  take(type, summary.type);
  take(member(document, "state_dir"), summary.state_dir);
  const rapidjson::Value* path = member(document, "plugin_path");
  if (path == nullptr || !path->IsArray()) return summary;
  for (const rapidjson::Value& folder : path->GetArray()) {
    if (folder.IsString()) summary.plugin_path.emplace_back(folder.GetString());
  }
  return summary;
}

std::string find_state_dir(std::string_view text) {
  if (std::string found = summarize_config(text).state_dir; !found.empty()) return found;
  constexpr std::string_view key = "\"state_dir\"", spaces = " \t\r\n";
  const std::size_t at = text.find(key);
  if (at == std::string_view::npos) return {};
  text.remove_prefix(at + key.size());
  for (const char expected : {':', '"'}) {
    text.remove_prefix(std::min(text.find_first_not_of(spaces), text.size()));
    if (!text.starts_with(expected)) return {};
    if (expected == ':') text.remove_prefix(1);
  }
  rapidjson::Document value;
  value.Parse<rapidjson::kParseStopWhenDoneFlag>(text.data(), text.size());
  return value.HasParseError() || !value.IsString() ? std::string() : value.GetString();
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
