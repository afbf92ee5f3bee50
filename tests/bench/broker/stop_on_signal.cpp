// SPDX-License-Identifier: MIT
#include "stop_on_signal.h"

#include <pthread.h>

#include <csignal>
#include <filesystem>
#include <system_error>
#include <utility>

namespace bench {

namespace {

sigset_t stopping_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  return set;
}

} // namespace

void StopOnSignal::hold_back() {
  const sigset_t set = stopping_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

StopOnSignal::StopOnSignal(pid_t server, std::string folder)
    : thread_([this, server, folder = std::move(folder)] {
        const sigset_t set = stopping_signals();
        int signal = 0;
        sigwait(&set, &signal);
        if (over_) return;
        kill(server, SIGKILL); // what it holds is of no use to anybody
        std::error_code ignored;
        std::filesystem::remove_all(folder, ignored);
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
