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

#include "../support/port.hpp"
#include "../support/wrapper_process.hpp"
#include "redis_setup.hpp"

namespace swapmq::live {
namespace {

class Wrapper : public WrapperProcess {
 public:
  explicit Wrapper(std::vector<std::string> arguments)
      : WrapperProcess(WITH_REDIS_PROGRAM, std::move(arguments)) {}
};

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
  EXPECT_TRUE(await([port] { return !connect_to(port).valid(); }, kWrapperPatience));
  EXPECT_TRUE(await([command] { return has_ended(command); }));
}

TEST(WithRedis, RefusesWhatItDoesNotUnderstand) {
  EXPECT_EQ(Wrapper({"--setup", "nonesuch", "--", "true"}).exit().code, 2);
  EXPECT_EQ(Wrapper({"true"}).exit().code, 2);
  EXPECT_EQ(Wrapper({"--"}).exit().code, 2);
  EXPECT_EQ(Wrapper({"--", "/nonesuch/program"}).exit().code, 127);
}

} // namespace
} // namespace swapmq::live
