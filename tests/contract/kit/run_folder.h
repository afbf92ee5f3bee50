// SPDX-License-Identifier: MIT
//
// The folder of a run, which {dir} in a backend's options stands for.
#pragma once

#include <string>

namespace swapmq::contract {

/// A fresh one below the system's folder of temporary files, removed at the end; or a given one,
/// which stays.
class RunFolder {
 public:
  /// `given` empty: makes one whose name begins with `prefix`.
  RunFolder(const std::string& given, const std::string& prefix);
  RunFolder(const RunFolder&) = delete;
  RunFolder& operator=(const RunFolder&) = delete;
  ~RunFolder();

  [[nodiscard]] const std::string& path() const { return path_; }
  /// Why there is no folder; empty if there is one.
  [[nodiscard]] const std::string& trouble() const { return trouble_; }
  [[nodiscard]] std::string to_remove() const { return own_ ? path_ : std::string(); }

 private:
  std::string path_;
  std::string trouble_;
  bool own_ = false;
};

/// Replaces each {dir}.
void put_dir(std::string& options, const std::string& dir);

} // namespace swapmq::contract
