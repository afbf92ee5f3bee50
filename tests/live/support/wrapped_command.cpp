// SPDX-License-Identifier: MIT
#include "wrapped_command.hpp"

#include <optional>

namespace swapmq::live {

namespace {

constexpr auto kPatience = milliseconds(10'000); // for a command that was told to end

} // namespace

Signals::Signals() {
  sigemptyset(&set_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGCHLD}) sigaddset(&set_, signal);
  sigprocmask(SIG_BLOCK, &set_, nullptr);
}

siginfo_t Signals::next() const {
  siginfo_t info{};
  const timespec second{1, 0};
  if (sigtimedwait(&set_, &info, &second) < 0) info.si_signo = 0;
  return info;
}

int run_wrapped(const std::vector<std::string>& command, const Signals& signals) {
  ChildProcess child({command});
  std::optional<Clock::time_point> deadline;
  for (;;) {
    if (const auto exit = child.wait(Clock::now())) {
      return exit->signal != 0 ? 128 + exit->signal : exit->code;
    }
    const siginfo_t info = signals.next();
    if (deadline && Clock::now() >= *deadline) child.signal(SIGKILL);
    if (info.si_signo == 0 || info.si_signo == SIGCHLD) continue;
    if (!deadline) deadline = Clock::now() + kPatience;
    // What the terminal sends, the command got as well.
    if (info.si_code <= 0) child.signal(info.si_signo);
  }
}

} // namespace swapmq::live
