// SPDX-License-Identifier: MIT
//
// A program that is run to its end: its words, how it ended, and that nothing of it stays.
#include "probe/child.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <thread>

namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using std::chrono::steady_clock;
using swapmq::Errc;
using swapmq::probe::ChildEnd;
using swapmq::probe::ChildSetup;
using swapmq::probe::run_child;

/// Killed ones take a moment; where nobody reaps them, they stay as zombies.
bool ends(pid_t process) {
  const auto until = steady_clock::now() + 10s;
  while (steady_clock::now() < until) {
    std::ifstream stat("/proc/" + std::to_string(process) + "/stat");
    std::string pid, name, state;
    if (!(stat >> pid >> name >> state) || state == "Z" || state == "X") return true;
    std::this_thread::sleep_for(2ms);
  }
  return false;
}

class ProbeChild : public testing::Test {
 protected:
  ProbeChild() : folder_((fs::temp_directory_path() / "swapmq-child-XXXXXX").string()) {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    extra_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  }
  ~ProbeChild() override {
    ::close(extra_);
    fs::remove_all(folder_);
  }
  /// A shell script, which is run.
  [[nodiscard]] ChildSetup setup(const std::string& script) const {
    const std::string program = folder_ + "/program";
    std::ofstream(program) << "#!/bin/sh\n" << script << "\n";
    ::chmod(program.c_str(), 0700);
    ChildSetup setup;
    setup.program = program;
    setup.extra = extra_;
    setup.deadline = steady_clock::now() + 30s;
    return setup;
  }
  [[nodiscard]] std::string file(const std::string& name) const {
    std::ifstream in(folder_ + "/" + name);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }

  std::string folder_;
  int extra_ = -1;
};

TEST_F(ProbeChild, GetsItsInputAndSaysItsOutput) {
  auto wanted = setup("echo begin; cat");
  wanted.input = std::string(200'000, 'x'); // more than a pipe holds
  const ChildEnd end = run_child(wanted).value();
  EXPECT_EQ(end.status, 0);
  EXPECT_FALSE(end.signal);
  EXPECT_EQ(end.output.substr(0, 7), "begin\nx");
  EXPECT_EQ(end.output.size(), 64U << 10) << "no more of it is kept";
}

TEST_F(ProbeChild, ItsStatusOrSignalIsTold) {
  EXPECT_EQ(run_child(setup("exit 7"))->status, 7);
  const ChildEnd end = run_child(setup("echo last; kill -SEGV $$")).value();
  EXPECT_FALSE(end.status);
  EXPECT_EQ(end.signal, SIGSEGV);
  EXPECT_EQ(end.output, "last\n");
}

TEST_F(ProbeChild, HasTheDescriptorThatItIsGivenAndNoOther) {
  const int secret = ::open("/dev/null", O_RDONLY); // inherited, if nobody sees to it
  const ChildEnd end = run_child(setup("exec /bin/ls /proc/self/fd")).value();
  ::close(secret);
  // ls opens the folder itself, as 4.
  EXPECT_EQ(end.output, "0\n1\n2\n3\n4\n");
}

TEST_F(ProbeChild, WorksWhereTheStandardDescriptorsAreClosed) {
  const int in = ::fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 10);
  const int out = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
  ::close(STDIN_FILENO);
  ::close(STDOUT_FILENO);
  auto wanted = setup("cat; cat <&3; echo ok");
  wanted.input = "in\n";
  const auto end = run_child(wanted);
  ::dup2(in, STDIN_FILENO);
  ::dup2(out, STDOUT_FILENO);
  ::close(in);
  ::close(out);
  EXPECT_EQ(end->output, "in\nok\n");
}

TEST_F(ProbeChild, IsKilledAtItsDeadlineWithAllThatItStarted) {
  auto wanted =
      setup("sh -c 'echo $$ > " + folder_ + "/grandchild; exec sleep 1000' & echo started; wait");
  wanted.given_up = [&] {
    return !file("grandchild").empty() && (wanted.deadline = steady_clock::now(), false);
  };
  const auto began = steady_clock::now();
  const ChildEnd end = run_child(wanted).value();
  EXPECT_TRUE(end.late);
  EXPECT_LT(steady_clock::now() - began, 20s);
  EXPECT_EQ(end.output, "started\n");
  const pid_t grandchild = std::stoi(file("grandchild"));
  EXPECT_TRUE(ends(grandchild));
}

TEST_F(ProbeChild, WhatItLeftBehindEndsWithIt) {
  const ChildEnd end =
      run_child(setup("sleep 1000 & echo $!; exit 0")).value(); // which holds its output open
  EXPECT_EQ(end.status, 0);
  const pid_t left = std::stoi(end.output);
  EXPECT_TRUE(ends(left));
}

TEST_F(ProbeChild, IsKilledWhenNobodyWaitsForItAnyMore) {
  auto wanted = setup("sleep 1000");
  wanted.given_up = [] { return true; };
  const ChildEnd end = run_child(wanted).value();
  EXPECT_TRUE(end.given_up);
  EXPECT_FALSE(end.late);
}

TEST_F(ProbeChild, ThatCannotBeStartedIsAnError) {
  auto wanted = setup("true");
  wanted.program = folder_ + "/missing";
  EXPECT_EQ(run_child(wanted).error().code(), Errc::unavailable);
  EXPECT_NE(run_child(wanted).error().message().find("missing"), std::string::npos);
}

TEST_F(ProbeChild, NoneOfThemLeavesADescriptorBehind) {
  const auto open_files = [] {
    return std::distance(fs::directory_iterator("/proc/self/fd"), fs::directory_iterator());
  };
  const auto before = open_files();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(run_child(setup("exit 0"))->status, 0);
  EXPECT_EQ(open_files(), before);
}

} // namespace
