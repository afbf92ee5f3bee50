// SPDX-License-Identifier: MIT
#include "text.hpp"

#include <cctype>
#include <cstdio>
#include <fstream>
#include <sstream>

namespace swapmq::live {

std::string json_text(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
      quoted += escaped;
      continue;
    }
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

void JsonMembers::add(std::string_view name, const std::string& value) {
  add_raw(json_text(name) + ':' + value);
}

void JsonMembers::add_text(std::string_view name, const std::string& value) {
  if (!value.empty()) add(name, json_text(value));
}

void JsonMembers::add_raw(const std::string& members) {
  if (!members.empty()) text_ += (text_.empty() ? "" : ",") + members;
}

std::string percent_encoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '.' || c == '_') {
      encoded += c;
      continue;
    }
    char escaped[4];
    std::snprintf(escaped, sizeof escaped, "%%%02X",
                  static_cast<unsigned>(static_cast<unsigned char>(c)));
    encoded += escaped;
  }
  return encoded;
}

void put(std::string& text, std::string_view place, const std::string& value) {
  for (std::size_t at = 0; (at = text.find(place, at)) != std::string::npos; at += value.size()) {
    text.replace(at, place.size(), value);
  }
}

std::string end_of_file(const std::string& path, std::size_t bytes) {
  std::string all = whole_file(path);
  if (all.size() > bytes) all.erase(0, all.size() - bytes);
  return all;
}

std::string whole_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

} // namespace swapmq::live
