// SPDX-License-Identifier: MIT
//
// A wrapper program under test, such as with_redis.
#pragma once

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "child_process.hpp"
#include "temp_folder.hpp"
#include "text.hpp"

namespace swapmq::live {

/// Some start a broker first, and the machine may be busy.
inline constexpr auto kWrapperPatience = milliseconds(90'000);

class WrapperProcess {
 public:
  WrapperProcess(const std::string& program, std::vector<std::string> arguments) {
    // Its own folder for temporary files: what a killed one leaves goes with this test.
    arguments.insert(arguments.begin(), {"env", "TMPDIR=" + folder_.path(), program});
    process_.emplace(ChildProcess::Program{std::move(arguments), folder_ / "output"});
  }
  ChildProcess& process() { return *process_; }
  Exit exit() {
    const auto exit = process_->wait(Clock::now() + kWrapperPatience);
    if (!exit) ADD_FAILURE() << "it does not end: " << output();
    return exit.value_or(Exit{});
  }
  [[nodiscard]] std::string output() const { return whole_file(folder_ / "output"); }
  /// The first whole line of the output, awaited.
  [[nodiscard]] std::string line() const {
    EXPECT_TRUE(
        await([this] { return output().find('\n') != std::string::npos; }, kWrapperPatience));
    const std::string all = output();
    return all.substr(0, all.find('\n'));
  }

 private:
  TempFolder folder_{"swapmq-wrapper"};
  std::optional<ChildProcess> process_;
};

/// Whether it is gone, or a zombie that another has to reap.
inline bool has_ended(pid_t process) {
  return whole_file("/proc/" + std::to_string(process) + "/cmdline").empty();
}

} // namespace swapmq::live
