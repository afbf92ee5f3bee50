// SPDX-License-Identifier: MIT
#include "confirmation.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string_view>

#include "signals.h"

namespace swapmq::host {
namespace {

class Terminal {
 public:
  Terminal() : fd_(::open("/dev/tty", O_RDWR | O_CLOEXEC)) {}
  ~Terminal() {
    if (is_open()) ::close(fd_);
  }
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;
  [[nodiscard]] bool is_open() const { return fd_ >= 0; }

  [[nodiscard]] bool write(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t written = ::write(fd_, text.data(), text.size());
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
  }

  Answer read_answer() {
    std::string line;
    for (;;) {
      if (signals::wait(fd_, POLLIN) == signals::Woken::interrupted) return Answer::interrupted;
      char c = 0;
      const ssize_t got = ::read(fd_, &c, 1);
      if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
      if (got <= 0 || c == '\n') break;
      line += c;
    }
    return line == "y" || line == "Y" || line == "yes" ? Answer::yes : Answer::no;
  }

 private:
  const int fd_;
};

} // namespace

Answer ask(const std::string& question) {
  if (::isatty(STDIN_FILENO) == 0) return Answer::yes;
  // Not standard error: redirected, it would ask nobody.
  Terminal terminal;
  if (!terminal.is_open() || !terminal.write(question + " [y/N] ")) return Answer::cannot_ask;
  const Answer answer = terminal.read_answer();
  if (answer == Answer::interrupted) (void)terminal.write("\n");
  return answer;
}

} // namespace swapmq::host
