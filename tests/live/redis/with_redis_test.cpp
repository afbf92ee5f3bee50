// SPDX-License-Identifier: MIT
//
// The wrapper: what it tells, how it exits, and that no server stays behind.
#include <gtest/gtest.h>
#include <signal.h>

#include <fstream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "../support/child_process.hpp"
#include "../support/port.hpp"
#include "../support/temp_folder.hpp"
#include "redis_setup.hpp"

namespace swapmq::live {
namespace {

constexpr auto kPatience = milliseconds(20'000);

class Wrapper {
 public:
  explicit Wrapper(std::vector<std::string> arguments) {
    // Its own folder for temporary files: what a killed one leaves goes with this test.
    arguments.insert(arguments.begin(), {"env", "TMPDIR=" + folder_.path(), WITH_REDIS_PROGRAM});
    process_.emplace(ChildProcess::Program{std::move(arguments), folder_ / "output"});
  }
  ChildProcess& process() { return *process_; }
  Exit exit() {
    const auto exit = process_->wait(Clock::now() + kPatience);
    if (!exit) ADD_FAILURE() << "with_redis does not end: " << output();
    return exit.value_or(Exit{});
  }
  [[nodiscard]] std::string output() const {
    std::ifstream file(folder_ / "output");
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
  }
  /// The first whole line of the output, awaited.
  [[nodiscard]] std::string line() const {
    EXPECT_TRUE(await([this] { return output().find('\n') != std::string::npos; }, kPatience));
    const std::string all = output();
    return all.substr(0, all.find('\n'));
  }

 private:
  TempFolder folder_{"swapmq-with-redis"};
  std::optional<ChildProcess> process_;
};

bool ends_listening(int port) {
  return await([port] { return !connect_to(port).valid(); }, kPatience);
}

TEST(WithRedis, TellsTheOptionsAndExitsWithTheCommandsCode) {
  Wrapper wrapper(
      {"--setup", "acl", "--", "sh", "-c", "echo \"$0\"; exit 7", "<{redis}|{redis_url}>"});
  EXPECT_EQ(wrapper.exit().code, 7);
  const std::string said = wrapper.output();
  EXPECT_EQ(said.find("<{\"host\":\"127.0.0.1\",\"port\":"), 0U) << said;
  EXPECT_NE(said.find("\"username\":\"queues\""), std::string::npos) << said;
  EXPECT_NE(said.find("|redis://queues:s3cret%2Fwith%3Aall%40of%25it@127.0.0.1:"),
            std::string::npos)
      << said;
}

TEST(WithRedis, TheServerListensMeanwhileAndNotAfter) {
  Wrapper wrapper(
      {"--", "sh", "-c",
       "mkfifo {redis_dir}/go; echo {redis_port} {redis_dir}/go; read -r line < {redis_dir}/go"});
  std::istringstream said(wrapper.line());
  int port = 0;
  std::string go;
  said >> port >> go;
  EXPECT_TRUE(connect_to(port).valid());
  std::ofstream(go) << "on\n";
  EXPECT_EQ(wrapper.exit().code, 0) << wrapper.output();
  EXPECT_FALSE(connect_to(port).valid());
}

TEST(WithRedis, ASignalThatEndsTheCommandIsInItsExitCode) {
  Wrapper wrapper({"--", "sh", "-c", "kill -SEGV $$"});
  EXPECT_EQ(wrapper.exit().code, 128 + SIGSEGV);
}

TEST(WithRedis, PassesSignalsToTheCommandAndStopsTheServer) {
  for (const int signal : {SIGTERM, SIGINT}) {
    Wrapper wrapper(
        {"--", "sh", "-c", "trap 'exit 9' TERM INT; echo {redis_port}; while :; do :; done"});
    const int port = std::stoi(wrapper.line());
    wrapper.process().signal(signal);
    EXPECT_EQ(wrapper.exit().code, 9);
    EXPECT_FALSE(connect_to(port).valid());
  }
}

TEST(WithRedis, KilledLeavesNeitherServerNorCommandBehind) {
  Wrapper wrapper({"--", "sh", "-c", "echo {redis_port} $$; while :; do :; done"});
  std::istringstream said(wrapper.line());
  int port = 0;
  pid_t command = 0;
  said >> port >> command;
  ASSERT_TRUE(connect_to(port).valid());
  wrapper.process().signal(SIGKILL);
  EXPECT_EQ(wrapper.exit().signal, SIGKILL);
  EXPECT_TRUE(ends_listening(port));
  EXPECT_TRUE(await([command] {
    std::ifstream status("/proc/" + std::to_string(command) + "/cmdline");
    return status.get() == std::ifstream::traits_type::eof(); // gone, or a zombie of another
  }));
}

TEST(WithRedis, RefusesWhatItDoesNotUnderstand) {
  EXPECT_EQ(Wrapper({"--setup", "nonesuch", "--", "true"}).exit().code, 2);
  EXPECT_EQ(Wrapper({"true"}).exit().code, 2);
  EXPECT_EQ(Wrapper({"--"}).exit().code, 2);
  EXPECT_EQ(Wrapper({"--", "/nonesuch/program"}).exit().code, 127);
}

} // namespace
} // namespace swapmq::live
