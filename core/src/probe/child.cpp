// SPDX-License-Identifier: MIT
#include "probe/child.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>
#include <thread>

#include "plugin/unique_fd.h"

namespace swapmq::probe {

using plugin::UniqueFd;
using std::chrono::milliseconds;
using std::chrono::steady_clock;

namespace {

constexpr milliseconds look_period{20};
constexpr milliseconds end_period{2}; // once its output has ended
constexpr milliseconds kill_patience{2000};
constexpr std::size_t most_output = std::size_t{64} << 10;
constexpr int first_free = 4; // descriptors below it have a meaning in the child

Error system_error(const char* what, int number) {
  return {number == EMFILE || number == ENFILE || number == ENOMEM || number == EAGAIN
              ? Errc::resource_exhausted
              : Errc::unavailable,
          std::string(what) + ": " + std::generic_category().message(number), true};
}

/// Out of the way of those that the child gets: a process may have closed its standard ones.
UniqueFd above_standard(UniqueFd fd) {
  if (!fd || fd.get() >= first_free) return fd;
  return UniqueFd(::fcntl(fd.get(), F_DUPFD_CLOEXEC, first_free));
}

/// A pipe would have to be written while its reader may hang.
Result<UniqueFd> in_memory(const std::string& text) {
  UniqueFd file = above_standard(UniqueFd(::memfd_create("swapmq-probe-request", MFD_CLOEXEC)));
  std::size_t written = 0;
  while (file && written < text.size()) {
    const ssize_t now = ::write(file.get(), text.data() + written, text.size() - written);
    if (now < 0 && errno == EINTR) continue;
    if (now <= 0) return system_error("a request cannot be written", errno);
    written += static_cast<std::size_t>(now);
  }
  if (!file || ::lseek(file.get(), 0, SEEK_SET) != 0) {
    return system_error("no request can be made in memory", errno);
  }
  return file;
}

struct Attributes {
  Attributes() {
    sigset_t none, all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_init(&it);
    ::posix_spawnattr_setflags(
        &it, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    ::posix_spawnattr_setsigmask(&it, &none);
    ::posix_spawnattr_setsigdefault(&it, &all);
    ::posix_spawn_file_actions_init(&actions);
  }
  ~Attributes() {
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&it);
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;

  posix_spawnattr_t it{};
  posix_spawn_file_actions_t actions{};
};

/// A started child. Not reaped before it is asked for its end.
class Child {
 public:
  Child(pid_t pid, UniqueFd output) : pid_(pid), output_(std::move(output)) {}
  ~Child() {
    if (!reaped_) kill_and_reap();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// Takes what it has written by now; waits for a moment if that is nothing.
  void read(std::string& to) {
    if (!output_) return std::this_thread::sleep_for(end_period);
    pollfd ready{output_.get(), POLLIN, 0};
    ::poll(&ready, 1, static_cast<int>(look_period.count()));
    std::array<char, 4096> some{};
    ssize_t got = 0;
    while ((got = ::read(output_.get(), some.data(), some.size())) > 0) {
      const auto room = most_output - std::min(most_output, to.size());
      to.append(some.data(), std::min(room, static_cast<std::size_t>(got)));
    }
    if (got == 0) output_ = UniqueFd();
  }

  /// Whether it has ended; then fills in how, and ends what it may have left behind.
  bool ended(ChildEnd& end) {
    siginfo_t info{};
    const int looked = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
    if (looked != 0 && errno == ECHILD) { // others have reaped it
      reaped_ = true;
      return true;
    }
    if (looked != 0 || info.si_pid == 0) return false;
    kill_and_reap();
    if (info.si_code == CLD_EXITED) {
      end.status = info.si_status;
    } else {
      end.signal = info.si_status;
    }
    return true;
  }

  /// Its whole group, while its number is still its own.
  void kill_and_reap() {
    ::kill(-pid_, SIGKILL);
    reaped_ = true; // or it hangs in the kernel, and is reaped by whom it is left to
    const auto until = steady_clock::now() + kill_patience;
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG) == 0 &&
           info.si_pid == 0 && steady_clock::now() < until) {
      std::this_thread::sleep_for(end_period);
    }
  }

 private:
  const pid_t pid_;
  UniqueFd output_;
  bool reaped_ = false;
};

struct Pipe {
  UniqueFd from, to;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_error("no pipe", errno);
  Pipe pipe{UniqueFd(ends[0]), above_standard(UniqueFd(ends[1]))};
  if (!pipe.to) return system_error("no pipe", errno);
  if (::fcntl(pipe.from.get(), F_SETFL, O_NONBLOCK) != 0) return system_error("no pipe", errno);
  return pipe;
}

Result<pid_t> start(const ChildSetup& setup, int input, int output, int extra) {
  Attributes attributes;
  auto& actions = attributes.actions;
  const bool planned = ::posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO) == 0 &&
                       ::posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO) == 0 &&
                       ::posix_spawn_file_actions_adddup2(&actions, extra, first_free - 1) == 0 &&
                       ::posix_spawn_file_actions_addclosefrom_np(&actions, first_free) == 0;
  if (!planned) return system_error("no child can be described", ENOMEM);
  std::string name = setup.program;
  const std::array<char*, 2> arguments{name.data(), nullptr};
  pid_t pid = 0;
  const int failed = ::posix_spawn(&pid, setup.program.c_str(), &actions, &attributes.it,
                                   arguments.data(), environ);
  if (failed != 0) return system_error((setup.program + " cannot be run").c_str(), failed);
  return pid;
}

} // namespace

Result<ChildEnd> run_child(const ChildSetup& setup) {
  auto input = in_memory(setup.input);
  if (!input) return input.error();
  auto pipe = make_pipe();
  if (!pipe) return pipe.error();
  // A number of its own, and no less than that of those above.
  const UniqueFd extra(::fcntl(setup.extra, F_DUPFD_CLOEXEC, first_free));
  if (!extra) return system_error("no descriptor", errno);
  const auto pid = start(setup, input->get(), pipe->to.get(), extra.get());
  if (!pid) return pid.error();
  Child child(*pid, std::move(pipe->from));
  pipe->to = UniqueFd();
  ChildEnd end;
  for (;;) {
    child.read(end.output);
    if (child.ended(end)) break;
    end.late = steady_clock::now() >= setup.deadline;
    end.given_up = setup.given_up && setup.given_up();
    if (end.late || end.given_up) break;
  }
  child.read(end.output); // what it wrote last
  return end;
}

} // namespace swapmq::probe
