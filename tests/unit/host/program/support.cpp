// SPDX-License-Identifier: MIT
#include "support.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <thread>

namespace swapmq::program_test {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

std::array<int, 2> make_pipe() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) ADD_FAILURE() << "pipe";
  return ends;
}

void close_if_open(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

/// Our own environment without what would change the program.
std::vector<std::string> clean_environment(const std::vector<std::string>& added) {
  std::vector<std::string> variables = added;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    if (!std::string_view(*variable).starts_with("SWAPMQ_")) variables.emplace_back(*variable);
  }
  return variables;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> result;
  for (std::string& word : words) result.push_back(word.data());
  result.push_back(nullptr);
  return result;
}

} // namespace

Folder::Folder() : path_((fs::temp_directory_path() / "swapmq-program-XXXXXX").string()) {
  if (::mkdtemp(path_.data()) == nullptr) ADD_FAILURE() << "mkdtemp";
}

Folder::~Folder() {
  std::error_code error;
  fs::remove_all(path_, error);
}

std::string Folder::write(const std::string& name, std::string_view content) const {
  const std::string path = path_ + "/" + name;
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

std::string Folder::read(const std::string& name) const {
  std::ostringstream text;
  text << std::ifstream(path_ + "/" + name, std::ios::binary).rdbuf();
  return text.str();
}

Process::Process(const Folder& folder, const Args& args, const How& how) : folder_(folder) {
  static std::atomic<int> count{0};
  const std::string number = std::to_string(++count);
  out_name_ = "out-" + number;
  err_name_ = "err-" + number;
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addchdir_np(&actions, folder.path().c_str());

  std::array<int, 2> in{-1, -1}, out{-1, -1};
  if (how.in == Stdin::pipe) {
    in = make_pipe();
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  } else {
    const std::string path = folder.write("in-" + number, how.input);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, path.c_str(), O_RDONLY, 0);
  }
  const auto write_to = [&](int fd, const std::string& path) {
    posix_spawn_file_actions_addopen(&actions, fd, path.c_str(), O_WRONLY | O_CREAT, 0600);
  };
  switch (how.out) {
    case Stdout::pipe:
      out = make_pipe();
      posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
      break;
    case Stdout::file:
      write_to(STDOUT_FILENO, folder.path() + "/" + out_name_);
      break;
    case Stdout::full:
      write_to(STDOUT_FILENO, "/dev/full");
      break;
    case Stdout::closed:
      posix_spawn_file_actions_addclose(&actions, STDOUT_FILENO);
      break;
  }
  write_to(STDERR_FILENO, folder.path() + "/" + err_name_);

  std::vector<std::string> words{how.program.empty() ? SWAPMQ_TEST_PROGRAM : how.program};
  words.insert(words.end(), args.begin(), args.end());
  std::vector<std::string> variables = clean_environment(how.environment);
  const int error = ::posix_spawn(&pid_, words.front().c_str(), &actions, nullptr,
                                  pointers(words).data(), pointers(variables).data());
  EXPECT_EQ(error, 0) << words.front();
  posix_spawn_file_actions_destroy(&actions);
  close_if_open(in[0]);
  close_if_open(out[1]);
  input_ = in[1];
  output_ = out[0];
}

Process::~Process() {
  close_input();
  close_output();
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

void Process::write_input(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(input_, text.data(), text.size());
    ASSERT_GT(written, 0);
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

void Process::close_input() { close_if_open(input_); }
void Process::close_output() { close_if_open(output_); }

std::string Process::read_output(std::size_t bytes) {
  std::string text(bytes, '\0');
  std::size_t size = 0;
  while (size < bytes) {
    const ssize_t got = ::read(output_, text.data() + size, bytes - size);
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

void Process::signal(int number) const { ::kill(pid_, number); }

std::string Process::err() const { return folder_.read(err_name_); }

std::string Process::out_path() const { return folder_.path() + "/" + out_name_; }

Finished Process::wait() {
  Finished finished;
  int status = 0;
  const auto deadline = Clock::now() + std::chrono::minutes(1);
  pid_t ended = 0;
  while ((ended = ::waitpid(pid_, &status, WNOHANG)) == 0 && Clock::now() < deadline) {
    std::this_thread::sleep_for(milliseconds(2));
  }
  if (ended == 0) {
    ADD_FAILURE() << "still running after a minute";
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &status, 0);
  }
  pid_ = -1;
  finished.code = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
  finished.out = folder_.read(out_name_);
  finished.err = err();
  return finished;
}

Finished run(const Folder& folder, const Args& args, const How& how) {
  return Process(folder, args, how).wait();
}

std::string sqlite_config(const Folder& folder) {
  return folder.write("swapmq.json", R"({"message_queue": {"type": "sqlite",
    "sqlite": {"path": "queues.db"}, "retry_delay_seconds": 0}})");
}

std::string trouble_config(const Folder& folder, bool down) {
  return folder.write("trouble.json", std::string(R"({"message_queue": {"type": "trouble",
    "trouble": {"down": )") + (down ? "true" : "false") +
                                          R"(}}, "plugin_path": [")" SWAPMQ_TEST_BACKENDS R"("]})");
}

bool eventually(const std::function<bool()>& condition) {
  const auto deadline = Clock::now() + std::chrono::seconds(30);
  while (Clock::now() < deadline) {
    if (condition()) return true;
    std::this_thread::sleep_for(milliseconds(5));
  }
  return false;
}

std::int64_t number_after(std::string_view text, std::string_view word) {
  const std::size_t at = text.find(word);
  if (at == std::string_view::npos) return -1;
  return std::atoll(std::string(text.substr(at + word.size())).c_str());
}

std::string numbered_lines(int count, std::size_t width) {
  std::string text;
  for (int i = 1; i <= count; ++i) {
    std::string line = std::to_string(i);
    line.insert(0, width - std::min(width, line.size()), '0');
    text += line + "\n";
  }
  return text;
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

} // namespace swapmq::program_test
