// SPDX-License-Identifier: MIT
#include "child_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace swapmq::live {

namespace {

[[noreturn]] void fail(int error, const std::string& what) {
  throw std::system_error(error, std::generic_category(), what);
}

/// After fork(), until exec(): nothing but what is safe in a process with other threads.
class AfterFork {
 public:
  AfterFork(const ChildProcess::Program& program, int report)
      : parent_(getpid()), report_(report), own_group_(program.own_group) {
    if (!program.output.empty()) output_ = program.output.c_str();
    if (!program.input.empty()) input_ = program.input.c_str();
    if (!program.errors.empty()) errors_ = program.errors.c_str();
    for (const std::string& argument : program.arguments) {
      argv_.push_back(const_cast<char*>(argument.c_str())); // exec writes nothing there
    }
    argv_.push_back(nullptr);
  }

  [[noreturn]] void become_program() {
    if (own_group_) setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent_) _exit(127); // it died before it could be watched
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, nullptr);
    ::signal(SIGPIPE, SIG_DFL);
    if (output_ != nullptr) redirect();
    execvp(argv_.front(), argv_.data());
    report_and_exit();
  }

 private:
  void redirect() const {
    const int in = open(input_, O_RDONLY | O_CLOEXEC);
    const int out = open_to_write(output_);
    const int errors = errors_ != nullptr ? open_to_write(errors_) : out;
    if (in < 0 || out < 0 || errors < 0) report_and_exit();
    dup2(in, STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(errors, STDERR_FILENO);
  }
  static int open_to_write(const char* path) {
    return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  }
  [[noreturn]] void report_and_exit() const {
    const int error = errno;
    const ssize_t ignored = write(report_, &error, sizeof error);
    _exit(ignored < 0 ? 126 : 127);
  }

  pid_t parent_;
  int report_;
  bool own_group_;
  const char* output_ = nullptr;
  const char* input_ = "/dev/null";
  const char* errors_ = nullptr;
  std::vector<char*> argv_;
};

} // namespace

ChildProcess::ChildProcess(const Program& program) {
  std::array<int, 2> pipe_ends{};
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) fail(errno, "pipe2");
  const Descriptor reports(pipe_ends[0]);
  Descriptor report(pipe_ends[1]);
  AfterFork child(program, report.get());
  pid_ = fork();
  if (pid_ < 0) fail(errno, "fork");
  if (pid_ == 0) child.become_program();
  report.reset();
  int error = 0;
  ssize_t length = 0;
  do {
    length = read(reports.get(), &error, sizeof error); // ends when exec() closes the pipe
  } while (length < 0 && errno == EINTR);
  ends_ = Descriptor(static_cast<int>(syscall(SYS_pidfd_open, pid_, 0)));
  if (length > 0 || !ends_.valid()) {
    if (length <= 0) error = errno;
    ::kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    fail(error, "cannot start " + program.arguments.front());
  }
}

ChildProcess::~ChildProcess() {
  if (exit_) return;
  ::kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void ChildProcess::signal(int number) const {
  if (!exit_) ::kill(pid_, number);
}

std::optional<Exit> ChildProcess::wait(Clock::time_point deadline) {
  while (!exit_) {
    pollfd end{ends_.get(), POLLIN, 0};
    const int ready = ::poll(&end, 1, left_ms(deadline));
    if (ready < 0 && errno == EINTR) continue;
    if (ready <= 0) return std::nullopt;
    int status = 0;
    if (waitpid(pid_, &status, WNOHANG) != pid_) continue;
    exit_.emplace();
    if (WIFEXITED(status)) exit_->code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) exit_->signal = WTERMSIG(status);
  }
  return exit_;
}

} // namespace swapmq::live
