// SPDX-License-Identifier: MIT
#include "run_folder.h"

#include <stdlib.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>

namespace swapmq::contract {

RunFolder::RunFolder(const std::string& given, const std::string& prefix) : path_(given) {
  if (!path_.empty()) return;
  // The throwing form would end the process where TMPDIR names nothing.
  std::error_code error;
  const auto base = std::filesystem::temp_directory_path(error);
  path_ = (base / (prefix + "-XXXXXX")).string();
  if (error) {
    trouble_ = error.message();
  } else if (mkdtemp(path_.data()) == nullptr) {
    trouble_ = base.string() + ": " + std::strerror(errno);
  }
  own_ = trouble_.empty();
}

RunFolder::~RunFolder() {
  std::error_code ignored; // a folder that stays behind is not a finding about the plugin
  if (own_) std::filesystem::remove_all(path_, ignored);
}

void put_dir(std::string& options, const std::string& dir) {
  constexpr std::string_view kPlace = "{dir}";
  for (std::size_t at = 0; (at = options.find(kPlace, at)) != std::string::npos; at += dir.size()) {
    options.replace(at, kPlace.size(), dir);
  }
}

} // namespace swapmq::contract
