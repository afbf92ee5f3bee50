// SPDX-License-Identifier: MIT
#include "child.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "signals.h"

namespace swapmq::host {
namespace {

/// The child's signals are as if a shell had started it; ours are not its business.
class SpawnAttributes {
 public:
  SpawnAttributes() {
    posix_spawnattr_init(&attributes_);
    sigset_t defaults;
    sigemptyset(&defaults);
    for (const int signal : {SIGPIPE, SIGINT, SIGTERM, SIGHUP}) sigaddset(&defaults, signal);
    posix_spawnattr_setsigdefault(&attributes_, &defaults);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnAttributes() { posix_spawnattr_destroy(&attributes_); }
  SpawnAttributes(const SpawnAttributes&) = delete;
  SpawnAttributes& operator=(const SpawnAttributes&) = delete;
  [[nodiscard]] const posix_spawnattr_t* get() const { return &attributes_; }

 private:
  posix_spawnattr_t attributes_{};
};

/// What the child's standard output is.
class SpawnActions {
 public:
  explicit SpawnActions(ChildOutput output) {
    posix_spawn_file_actions_init(&actions_);
    if (output == ChildOutput::to_our_stderr) {
      posix_spawn_file_actions_adddup2(&actions_, STDERR_FILENO, STDOUT_FILENO);
    }
  }
  ~SpawnActions() { posix_spawn_file_actions_destroy(&actions_); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

void wait_or_pass_on_interruption(pid_t child) {
  // Not <sys/pidfd.h>: glibc 2.36 forgot extern "C" in it.
  const int fd = static_cast<int>(::syscall(SYS_pidfd_open, child, 0));
  if (fd < 0) return; // an old kernel: waitpid waits
  if (signals::wait(fd, POLLIN) == signals::Woken::interrupted) ::kill(child, SIGTERM);
  ::close(fd);
}

} // namespace

Result<int> run_program_to_end(const std::string& program, const std::vector<std::string>& args,
                               ChildOutput output) {
  std::vector<std::string> words{program};
  words.insert(words.end(), args.begin(), args.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);

  const SpawnAttributes attributes;
  const SpawnActions actions(output);
  pid_t child = 0;
  const int error =
      ::posix_spawn(&child, program.c_str(), actions.get(), attributes.get(), argv.data(), environ);
  if (error != 0) return Error(Errc::not_found, program + ": " + std::strerror(error));
  wait_or_pass_on_interruption(child);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return Error(Errc::internal, program + ": " + std::strerror(errno));
  }
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

} // namespace swapmq::host
