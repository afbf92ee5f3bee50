// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utmp.h>

#include "support.h"

namespace swapmq::program_test {

Terminal::Terminal(const Folder& folder, Args command,
                   const std::vector<std::string>& environment) {
  int slave = -1;
  EXPECT_EQ(::openpty(&master_, &slave, nullptr, nullptr, nullptr), 0);
  ::fcntl(master_, F_SETFD, FD_CLOEXEC);
  std::vector<std::string> variables = environment; // the first of a name counts
  for (const std::string& variable :
       {std::string("TERM=xterm"), "HOME=" + folder.path(), std::string("LC_ALL=C.UTF-8"),
        std::string("PATH=" SWAPMQ_TEST_PROGRAM_FOLDER ":/usr/bin:/bin")}) {
    variables.push_back(variable);
  }
  std::vector<char*> words, set;
  for (std::string& word : command) words.push_back(word.data());
  for (std::string& variable : variables) set.push_back(variable.data());
  words.push_back(nullptr);
  set.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ == 0) {
    ::login_tty(slave);
    if (::chdir(folder.path().c_str()) == 0) ::execvpe(words[0], words.data(), set.data());
    ::_exit(127);
  }
  ::close(slave);
}

Terminal::~Terminal() {
  ::close(master_);
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Terminal::type(std::string_view keys) {
  EXPECT_EQ(::write(master_, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
}

/// False: the other side has closed it, or nothing came in time.
bool Terminal::read_some() {
  pollfd readable{master_, POLLIN, 0};
  if (::poll(&readable, 1, 30'000) <= 0) return false;
  char bytes[4096];
  const ssize_t got = ::read(master_, bytes, sizeof bytes);
  if (got <= 0) return false; // EIO is how a terminal ends
  shown_.append(bytes, static_cast<std::size_t>(got));
  return true;
}

std::string Terminal::read_until(std::string_view text) {
  while (shown_.find(text) == std::string::npos) {
    if (read_some()) continue;
    ADD_FAILURE() << "\"" << text << "\" did not come, but " << testing::PrintToString(shown_);
    break;
  }
  return shown_;
}

std::string Terminal::read_all() {
  while (read_some()) {
  }
  return shown_;
}

} // namespace swapmq::program_test
