// SPDX-License-Identifier: MIT
//
// Drives the sqlite backend. For its unit tests and its chaos tests.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "../../support/backend_driver.hpp"

namespace swapmq::test {

class TempFolder {
 public:
  TempFolder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "swapmq-sqlite-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~TempFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  [[nodiscard]] std::string operator/(std::string_view name) const {
    return (path_ / name).string();
  }

 private:
  std::filesystem::path path_;
};

class Opened : public OpenedBackend {
 public:
  using OpenedBackend::OpenedBackend;

  static std::string options(const std::string& path, const std::string& more = "") {
    return "{\"path\": \"" + path + "\"" + (more.empty() ? "" : ", " + more) + "}";
  }
};

} // namespace swapmq::test
