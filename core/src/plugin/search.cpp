// SPDX-License-Identifier: MIT
#include "plugin/search.h"

#include <dlfcn.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "swapmq/swapmq.hpp"

namespace swapmq {
namespace {

namespace fs = std::filesystem;

/// Absolute and without "." and "..", each folder once.
void add_folder(std::vector<std::string>& folders, const fs::path& folder) {
  if (folder.empty()) return; // an empty entry is not the current folder
  std::error_code error;
  fs::path absolute = fs::absolute(folder, error).lexically_normal();
  if (error) return;
  if (!absolute.has_filename() && absolute.has_relative_path()) absolute = absolute.parent_path();
  if (std::ranges::count(folders, absolute.string()) == 0) folders.push_back(absolute.string());
}

void add_environment(std::vector<std::string>& folders) {
  const char* value = ::secure_getenv("SWAPMQ_PLUGIN_PATH");
  if (value == nullptr) return;
  std::string_view rest = value;
  while (!rest.empty()) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    add_folder(folders, fs::path(rest.substr(0, colon)));
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
}

void add_beside_program(std::vector<std::string>& folders) {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) return;
  const fs::path beside = program.parent_path();
  add_folder(folders, beside);
  add_folder(folders, beside / "swapmq" / "backends");
  add_folder(folders, beside / ".." / "lib" / "swapmq" / "backends");
  add_folder(folders, beside / ".." / SWAPMQ_BACKEND_INSTALL_DIRECTORY);
}

/// Where this library is installed, whatever prefix it was configured for. Of a program that the
/// core is linked into, this is the program's own folder.
void add_beside_library(std::vector<std::string>& folders) {
  Dl_info about{};
  if (::dladdr(reinterpret_cast<const void*>(&add_beside_library), &about) == 0) return;
  std::error_code error;
  const fs::path library = fs::canonical(about.dli_fname, error);
  if (!error) add_folder(folders, library.parent_path() / "swapmq" / "backends");
}

} // namespace

std::vector<std::string> plugin_search_path(std::span<const std::string> from_config) {
  std::vector<std::string> folders;
  for (const std::string& folder : from_config) add_folder(folders, folder);
  add_environment(folders);
  add_beside_program(folders);
  add_beside_library(folders);
  add_folder(folders, SWAPMQ_BACKEND_INSTALL_PATH);
  return folders;
}

namespace plugin {

bool is_plugin_name(std::string_view name) {
  constexpr std::size_t kMaxName = 64;
  if (name.empty() || name.size() > kMaxName) return false;
  return std::ranges::all_of(
      name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

std::string shown(std::string_view text) {
  constexpr std::size_t kMaxShown = 80;
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string line = "\"";
  for (const char c : text.substr(0, kMaxShown)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte >= 0x20 && byte < 0x7f && c != '"' && c != '\\') {
      line += c;
    } else {
      line += "\\x";
      line += kDigits[byte >> 4];
      line += kDigits[byte & 0xf];
    }
  }
  line += text.size() > kMaxShown ? "...\"" : "\"";
  return line;
}

std::vector<std::string> candidates(std::string_view name,
                                    std::span<const std::string> from_config) {
  std::vector<std::string> files = plugin_search_path(from_config);
  for (std::string& file : files) {
    if (!file.ends_with('/')) file += '/';
    file.append(name).append(kPluginSuffix);
  }
  return files;
}

} // namespace plugin
} // namespace swapmq
