// SPDX-License-Identifier: MIT
#include "signals.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>

#include "exit_code.h"

namespace swapmq::host::signals {
namespace {

// What a signal handler may touch.
std::atomic<bool> seen{false};
static_assert(std::atomic<bool>::is_always_lock_free);
int event = -1;
std::atomic<int> hangup_event{-1}; // -1: a SIGHUP interrupts
static_assert(std::atomic<int>::is_always_lock_free);

void ring(int descriptor) {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = ::write(descriptor, &one, sizeof one);
}

extern "C" void on_signal(int signal) {
  const int kept_errno = errno;
  if (const int hangups = hangup_event.load(); signal == SIGHUP && hangups >= 0) {
    ring(hangups);
    errno = kept_errno;
    return;
  }
  if (seen.exchange(true)) {
    static constexpr char text[] = "\nswapmq: interrupted twice, not waiting any longer\n";
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, text, sizeof text - 1);
    ::_exit(exit_interrupted);
  }
  ring(event);
  errno = kept_errno;
}

void handle(int signal, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  sigaction(signal, &action, nullptr);
}

bool is_ignored(int signal) {
  struct sigaction action {};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

Woken wait_ms(int fd, short events, int timeout_ms) {
  // Events of the interruption first: poll reports both, and it wins.
  std::array<pollfd, 2> watched{{{event, POLLIN, 0}, {fd, events, 0}}};
  const int ready = ::poll(watched.data(), watched.size(), timeout_ms);
  if (interrupted()) return Woken::interrupted;
  return ready > 0 ? Woken::ready : Woken::timeout;
}

} // namespace

void install() {
#ifdef __SANITIZE_THREAD__
  // GCC 12's runtime loses a signal that comes during the first blocking call of a thread, while it
  // makes what it keeps of that thread's signals: so that is made before one can come.
  ::poll(nullptr, 0, 0);
#endif
  event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  handle(SIGPIPE, SIG_IGN);
  handle(SIGINT, on_signal);
  handle(SIGTERM, on_signal);
  if (!is_ignored(SIGHUP)) handle(SIGHUP, on_signal); // nohup is respected
}

bool interrupted() { return seen.load(std::memory_order_relaxed); }

int descriptor() { return event; }

void serve_hangups() {
  if (hangup_event.load() >= 0) return;
  hangup_event.store(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  handle(SIGHUP, on_signal);
}

int hangup_descriptor() { return hangup_event.load(); }

bool take_hangup() {
  std::uint64_t count = 0;
  return ::read(hangup_event.load(), &count, sizeof count) > 0;
}

Woken wait(int fd, short events, std::chrono::milliseconds timeout) {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + timeout;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    const auto left_ms = static_cast<int>(std::clamp<std::int64_t>(left, 0, 3'600'000));
    const Woken woken = wait_ms(fd, events, left_ms);
    if (woken != Woken::timeout || Clock::now() >= until) return woken;
  }
}

Woken wait(int fd, short events) {
  for (;;) {
    const Woken woken = wait_ms(fd, events, -1);
    if (woken != Woken::timeout) return woken;
  }
}

} // namespace swapmq::host::signals
