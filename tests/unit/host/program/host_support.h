// SPDX-License-Identifier: MIT
//
// Hosts, run and asked as an operator does.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "support.h"

namespace swapmq::program_test {

/// A folder with a config of sqlite, memory and the backend of the tests, whose words may be
/// changed.
class HostFolder : public testing::Test {
 protected:
  HostFolder() { configure("sqlite"); }

  /// What the config would be. `more`: further members, each with a comma before it.
  static std::string config(const std::string& type, const std::string& more = "",
                            const std::string& state_dir = "state");
  /// Writes it in place, in one go.
  void configure(const std::string& type, const std::string& more = "") const {
    folder_.write("swapmq.json", config(type, more));
  }
  /// Asks the host (or anything else of that config).
  Finished swapmq(Args args, const How& how = {}) const {
    args.insert(args.end(), {"--config", "swapmq.json"});
    return run(folder_, args, how);
  }
  [[nodiscard]] std::string status() const { return swapmq({"status", "--json"}).out; }
  /// Waits until the status has that text.
  [[nodiscard]] bool comes_to(const std::string& text) const {
    return eventually([&] { return status().find(text) != std::string::npos; });
  }
  [[nodiscard]] bool exists(const std::string& name) const;

  Folder folder_;
};

/// What the status says of the backend that publishes go to.
std::string active(const std::string& name);

/// A host while it runs, from the time on that it answers.
class HostProcess : public Process {
 public:
  explicit HostProcess(const Folder& folder, Args args = {"run"}, const How& how = {});
};

} // namespace swapmq::program_test
