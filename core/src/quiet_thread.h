// SPDX-License-Identifier: MIT
//
// Threads that run none of the application's code.
#pragma once

#include <csignal>
#include <thread>
#include <utility>

namespace swapmq {

/// A thread that takes no signal: those are the application's, and its handlers run on the
/// application's threads or on those that call its code. They are blocked before it begins, since
/// it inherits its creator's mask. What a fault raises still comes, for whoever reports crashes,
/// and SIGPROF for profilers. Throws std::system_error.
template <class Body>
std::thread quiet_thread(Body&& body) {
  struct Blocked {
    sigset_t before{};
    Blocked() {
      sigset_t signals;
      ::sigfillset(&signals);
      for (const int signal :
           {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS, SIGPROF}) {
        ::sigdelset(&signals, signal);
      }
      ::pthread_sigmask(SIG_BLOCK, &signals, &before);
    }
    ~Blocked() { ::pthread_sigmask(SIG_SETMASK, &before, nullptr); }
    Blocked(const Blocked&) = delete;
    Blocked& operator=(const Blocked&) = delete;
  };
  const Blocked blocked;
  return std::thread(std::forward<Body>(body));
}

} // namespace swapmq
