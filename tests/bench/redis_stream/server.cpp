// SPDX-License-Identifier: MIT
#include "server.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

namespace bench {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

constexpr int cannot_execute = 127;

/// Free a moment ago; where somebody else takes it, the server ends and another one is tried.
std::uint16_t free_port() {
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  const bool found = bind(probe, reinterpret_cast<const sockaddr*>(&address), length) == 0 &&
                     getsockname(probe, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  close(probe);
  if (!found) throw ServerFailure("there is no free port for redis-server");
  return ntohs(address.sin_port);
}

bool answers(std::uint16_t port) {
  redisContext* context = redisConnectWithTimeout("127.0.0.1", port, timeval{1, 0});
  redisReply* reply = nullptr;
  if (context != nullptr && context->err == 0) {
    redisSetTimeout(context, timeval{1, 0});
    reply = static_cast<redisReply*>(redisCommand(context, "PING"));
  }
  const bool well = reply != nullptr && reply->type == REDIS_REPLY_STATUS;
  if (reply != nullptr) freeReplyObject(reply);
  if (context != nullptr) redisFree(context);
  return well;
}

sigset_t stopping_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  return set;
}

/// In the child: nothing but what is safe after fork().
[[noreturn]] void become_server(char* const* arguments, pid_t parent) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(0); // it died before it could be told
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  setpgid(0, 0); // the terminal's interrupt is for us, and we stop it
  const int nothing = open("/dev/null", O_RDWR);
  for (const int stream : {0, 1, 2}) dup2(nothing, stream);
  execvp(arguments[0], arguments);
  _exit(cannot_execute);
}

} // namespace

RedisServer::RedisServer(const std::string& fsync) {
  std::string folder = (std::filesystem::temp_directory_path() / "swapmq-bench-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) throw ServerFailure("no temporary folder: " + folder);
  folder_ = folder;
  try {
    for (int attempt = 0; attempt < 5; ++attempt) {
      if (try_start(fsync)) return;
    }
    throw ServerFailure("redis-server does not start: " + last_words());
  } catch (...) {
    stop();
    throw;
  }
}

bool RedisServer::try_start(const std::string& fsync) {
  port_ = free_port();
  std::vector<std::string> words{"redis-server", "--port",         std::to_string(port_),
                                 "--bind",       "127.0.0.1",      "--dir",
                                 folder_,        "--save",         "",
                                 "--logfile",    folder_ + "/log", "--daemonize",
                                 "no",           "--appendonly",   fsync.empty() ? "no" : "yes"};
  if (!fsync.empty()) words.insert(words.end(), {"--appendfsync", fsync});
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);

  const pid_t parent = getpid();
  process_ = fork();
  if (process_ == 0) become_server(arguments.data(), parent);
  if (process_ < 0) throw ServerFailure("no process for redis-server");
  for (const auto until = steady_clock::now() + 10s; steady_clock::now() < until;) {
    int status = 0;
    if (waitpid(process_, &status, WNOHANG) == process_) {
      process_ = -1;
      if (WIFEXITED(status) && WEXITSTATUS(status) == cannot_execute) {
        throw ServerFailure("redis-server cannot be executed; is it installed?");
      }
      return false;
    }
    if (answers(port_)) return true;
    std::this_thread::sleep_for(5ms);
  }
  end_process();
  return false;
}

std::string RedisServer::last_words() const {
  std::ifstream log(folder_ + "/log");
  std::string line, last = "it says nothing";
  while (std::getline(log, line)) last = line;
  return last;
}

void RedisServer::end_process() noexcept {
  if (process_ <= 0) return;
  kill(process_, SIGKILL); // what it holds is of no use to anybody
  waitpid(process_, nullptr, 0);
  process_ = -1;
}

void RedisServer::stop() noexcept {
  const std::lock_guard lock(mutex_);
  end_process();
  std::error_code ignored;
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
  folder_.clear();
}

// ---- signals ------------------------------------------------------------------------------------

void StopOnSignal::hold_back() {
  const sigset_t set = stopping_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

StopOnSignal::StopOnSignal(RedisServer& server)
    : thread_([this, &server] {
        const sigset_t set = stopping_signals();
        int signal = 0;
        sigwait(&set, &signal);
        if (over_) return;
        server.stop();
        std::signal(signal, SIG_DFL);
        pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
        raise(signal);
      }) {}

/// Where a signal came first, this waits for the end of the process.
StopOnSignal::~StopOnSignal() {
  over_ = true;
  pthread_kill(thread_.native_handle(), SIGTERM);
  thread_.join();
}

} // namespace bench
