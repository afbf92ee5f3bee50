// SPDX-License-Identifier: MIT
//
// What is asked before something is deleted, at a terminal of the test's own.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include "support.h"

namespace swapmq::program_test {
namespace {

using testing::HasSubstr;

/// `queue delete q` with a terminal as its standard input, and its outputs in files.
class AtTerminal {
 public:
  /// Without `controlling` the terminal is not the one that /dev/tty means.
  AtTerminal(const Folder& folder, const std::string& config, bool controlling) : folder_(folder) {
    int slave = -1;
    EXPECT_EQ(::openpty(&master_, &slave, nullptr, nullptr, nullptr), 0);
    ::fcntl(master_, F_SETFD, FD_CLOEXEC);
    const std::string out = folder.path() + "/terminal-out", err = folder.path() + "/terminal-err";
    pid_ = ::fork();
    if (pid_ == 0) {
      if (controlling) {
        ::login_tty(slave);
      } else {
        ::setsid();
        ::dup2(slave, STDIN_FILENO);
      }
      ::dup2(::open(out.c_str(), O_WRONLY | O_CREAT | O_NOCTTY, 0600), STDOUT_FILENO);
      ::dup2(::open(err.c_str(), O_WRONLY | O_CREAT | O_NOCTTY, 0600), STDERR_FILENO);
      ::execl(SWAPMQ_TEST_PROGRAM, "swapmq", "queue", "delete", "q", "--config", config.c_str(),
              nullptr);
      ::_exit(127);
    }
    ::close(slave);
  }
  ~AtTerminal() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
    ::close(master_);
  }
  AtTerminal(const AtTerminal&) = delete;
  AtTerminal& operator=(const AtTerminal&) = delete;

  /// What the terminal shows, up to the question's end (or as far as it got).
  std::string question() {
    std::string shown;
    pollfd readable{master_, POLLIN, 0};
    while (shown.find("[y/N] ") == std::string::npos && ::poll(&readable, 1, 30'000) > 0) {
      char c = 0;
      if (::read(master_, &c, 1) != 1) break;
      shown += c;
    }
    return shown;
  }
  void type(std::string_view keys) {
    EXPECT_EQ(::write(master_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  Finished wait() {
    int status = 0;
    const bool ended = eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; });
    EXPECT_TRUE(ended) << "it still runs";
    if (!ended) return {};
    pid_ = -1;
    return {WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status),
            folder_.read("terminal-out"), folder_.read("terminal-err")};
  }

 private:
  const Folder& folder_;
  int master_ = -1;
  pid_t pid_ = -1;
};

class Question : public testing::Test {
 protected:
  // The program at the terminal runs in our folder, not in the test's.
  Question()
      : config_(folder_.write("swapmq.json", R"({"message_queue": {"type": "sqlite",
          "sqlite": {"path": ")" + folder_.path() +
                                                 R"(/queues.db"}}})")) {
    EXPECT_EQ(run(folder_, {"queue", "create", "q", "--config", config_}).code, 0);
  }
  std::string queues() { return run(folder_, {"queue", "list", "--config", config_}).out; }

  Folder folder_;
  const std::string config_;
};

TEST_F(Question, IsAskedThoughStandardErrorIsAFile) {
  AtTerminal no(folder_, config_, true);
  EXPECT_THAT(no.question(), HasSubstr("Delete q and all messages in it? [y/N] "));
  no.type("n\n");
  const Finished kept = no.wait();
  EXPECT_EQ(kept.code, 1);
  EXPECT_THAT(kept.err, HasSubstr("nothing was deleted"));
  EXPECT_EQ(queues(), "q\n");

  AtTerminal yes(folder_, config_, true);
  yes.question();
  yes.type("y\n");
  EXPECT_EQ(yes.wait().code, 0);
  EXPECT_EQ(queues(), "");
}

TEST_F(Question, InterruptedExitsWith130) {
  AtTerminal terminal(folder_, config_, true);
  terminal.question();
  terminal.type("\x03");
  const Finished interrupted = terminal.wait();
  EXPECT_EQ(interrupted.code, 130);
  EXPECT_THAT(interrupted.err, HasSubstr("nothing was deleted"));
  EXPECT_EQ(queues(), "q\n");
}

TEST_F(Question, ThatCannotBeAskedIsRefused) {
  AtTerminal terminal(folder_, config_, false);
  const Finished refused = terminal.wait();
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("--yes"));
  EXPECT_EQ(queues(), "q\n");
}

} // namespace
} // namespace swapmq::program_test
