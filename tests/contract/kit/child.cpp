// SPDX-License-Identifier: MIT
#include "child.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <set>
#include <system_error>

#include "breach.h"
#include "plugin.h"

namespace swapmq::contract {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kInterruptedExit = 130;

std::atomic<bool> was_interrupted{false};
static_assert(std::atomic<bool>::is_always_lock_free); // a signal handler sets it

std::mutex running_mutex;
std::set<pid_t> running; // guarded by running_mutex

void note_interruption(int /*signal*/) { was_interrupted = true; }

int left_ms(Clock::time_point deadline) {
  const auto left = std::chrono::ceil<milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<long long>(left, 0, 60000));
}

std::string own_program() {
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path);
  if (length <= 0) throw Breach("cannot read /proc/self/exe");
  return {path, static_cast<std::size_t>(length)};
}

void close_fd(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

} // namespace

void catch_interruptions() {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    struct sigaction action {};
    const bool known = sigaction(signal, nullptr, &action) == 0;
    if (known && action.sa_handler == SIG_IGN) continue; // nohup is respected
    action = {};
    action.sa_handler = note_interruption;
    action.sa_flags = SA_RESTART;
    sigaction(signal, &action, nullptr);
  }
}

bool interrupted() { return was_interrupted; }

void end_interrupted(const std::string& folder) {
  // Never released: whoever would start or reap another process, or make a folder, waits for the
  // end here.
  running_mutex.lock();
  for (const pid_t pid : running) ::kill(pid, SIGTERM);
  const auto deadline = Clock::now() + std::chrono::seconds(2);
  for (const pid_t pid : running) {
    pid_t ended = 0;
    while ((ended = waitpid(pid, nullptr, WNOHANG)) == 0 && Clock::now() < deadline) {
      ::poll(nullptr, 0, 2);
    }
    if (ended != 0) continue; // or reaped already
    ::kill(pid, SIGKILL);
    waitpid(pid, nullptr, 0);
  }
  // What a process of a killed one still writes must not keep the folder.
  std::error_code ignored; // the process ends here, whatever is left
  const auto patience = Clock::now() + std::chrono::seconds(2);
  while (!folder.empty() && std::filesystem::exists(folder, ignored) && Clock::now() < patience) {
    std::filesystem::remove_all(folder, ignored);
    ::poll(nullptr, 0, 2);
  }
  _exit(kInterruptedExit);
}

std::unique_lock<std::mutex> hold_off_end() { return std::unique_lock(running_mutex); }

Process::Process(std::vector<std::string> arguments, bool with_stderr)
    : Process(own_program(), std::move(arguments), with_stderr) {}

Process::Process(const std::string& program, std::vector<std::string> arguments, bool with_stderr) {
  std::vector<char*> argv;
  argv.push_back(const_cast<char*>(program.c_str())); // posix_spawn writes nothing there
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);

  int in[2];
  int out[2];
  if (pipe2(in, O_CLOEXEC) != 0) throw Breach("pipe2: " + std::string(std::strerror(errno)));
  if (pipe2(out, O_CLOEXEC) != 0) {
    ::close(in[0]);
    ::close(in[1]);
    throw Breach("pipe2: " + std::string(std::strerror(errno)));
  }
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  if (with_stderr) posix_spawn_file_actions_adddup2(&actions, out[1], STDERR_FILENO);
  std::unique_lock lock(running_mutex);
  const int error = posix_spawn(&pid_, program.c_str(), &actions, nullptr, argv.data(), environ);
  if (error == 0) running.insert(pid_);
  lock.unlock();
  posix_spawn_file_actions_destroy(&actions);
  ::close(in[0]);
  ::close(out[1]);
  stdin_ = in[1];
  output_ = out[0];
  if (error != 0) {
    pid_ = -1;
    close_fd(stdin_);
    close_fd(output_);
    throw Breach("posix_spawn of " + program + ": " + std::strerror(error));
  }
}

Process::~Process() {
  kill_now();
  close_fd(stdin_);
  close_fd(output_);
}

void Process::kill_now() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  reap();
}

Ended Process::reap() {
  Ended ended;
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  {
    const std::lock_guard lock(running_mutex);
    running.erase(pid_);
  }
  pid_ = -1;
  if (WIFEXITED(status)) ended.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  return ended;
}

bool Process::fill(Clock::time_point deadline) {
  pollfd readable{output_, POLLIN, 0};
  if (::poll(&readable, 1, left_ms(deadline)) <= 0) return false;
  char chunk[4096];
  const ssize_t length = ::read(output_, chunk, sizeof chunk);
  if (length <= 0) return false;
  buffer_.append(chunk, static_cast<std::size_t>(length));
  return true;
}

std::optional<std::string> Process::read_line(Clock::time_point deadline) {
  for (;;) {
    const std::size_t end = buffer_.find('\n');
    if (end != std::string::npos) {
      std::string line = buffer_.substr(0, end);
      buffer_.erase(0, end + 1);
      return line;
    }
    if (!fill(deadline)) return std::nullopt;
  }
}

Ended Process::wait(Clock::time_point deadline, std::size_t most, std::string& output) {
  bool timed_out = false;
  for (;;) {
    if (buffer_.size() > 2 * most) buffer_.erase(0, buffer_.size() - most);
    if (fill(deadline)) continue;
    timed_out = Clock::now() >= deadline;
    if (timed_out) break;
    // The end of its output is not yet its own: a process may close it and go on.
    siginfo_t info{};
    const int done = waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
    if (done != 0 || info.si_pid == pid_) break;
    ::poll(nullptr, 0, 2);
  }
  output = buffer_.size() > most ? buffer_.substr(buffer_.size() - most) : buffer_;
  if (timed_out) ::kill(pid_, SIGKILL);
  Ended ended = reap();
  ended.timed_out = timed_out;
  return ended;
}

namespace {
std::vector<std::string> scenario_arguments(const std::string& scenario,
                                            const std::vector<std::string>& arguments) {
  const Options& options = kit().options;
  std::vector<std::string> all{"--child",
                               scenario,
                               "--plugin",
                               kit().path,
                               "--options",
                               options.options,
                               "--dir",
                               options.dir,
                               "--patience-ms",
                               std::to_string(options.patience.count()),
                               "--hang-ms",
                               std::to_string(options.hang.count()),
                               "--"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return all;
}
} // namespace

Child::Child(const std::string& scenario, const std::vector<std::string>& arguments)
    : Process(scenario_arguments(scenario, arguments), false) {}

std::string Child::expect_line() {
  const auto deadline = Clock::now() + kit().options.patience;
  if (auto line = read_line(deadline)) return *line;
  throw Breach("the other process ended or said nothing for " +
               std::to_string(kit().options.patience.count()) + " ms; see stderr");
}

} // namespace swapmq::contract
