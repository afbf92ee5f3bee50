// SPDX-License-Identifier: MIT
#include "input.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "progress.h"
#include "signals.h"

namespace swapmq::host {

Input::Input(int fd, bool owned, std::string name)
    : fd_(fd), owned_(owned), name_(std::move(name)) {
  struct stat about {};
  const off_t at = ::lseek(fd_, 0, SEEK_CUR); // standard input may be within a file
  if (::fstat(fd_, &about) != 0 || !S_ISREG(about.st_mode) || at < 0 || at >= about.st_size) return;
  size_ = static_cast<std::uint64_t>(about.st_size - at);
}

Input::Input(Input&& other) noexcept
    : fd_(other.fd_),
      owned_(std::exchange(other.owned_, false)),
      name_(std::move(other.name_)),
      error_(std::move(other.error_)),
      size_(other.size_),
      read_(other.read_) {}

Input::~Input() {
  if (owned_) ::close(fd_);
}

Result<Input> Input::open(const std::string& path) {
  if (path.empty() || path == "-") return Input(STDIN_FILENO, false, "standard input");
  // A FIFO without a writer would block here, deaf to an interruption; poll waits for it instead.
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return Error(Errc::invalid_argument, path + ": " + std::strerror(errno));
  Input input(fd, true, path);
  struct stat about {};
  if (::fstat(fd, &about) == 0 && S_ISDIR(about.st_mode)) {
    return Error(Errc::invalid_argument, path + ": is a directory; name a file in it");
  }
  return input;
}

Input::Event Input::read(char* to, std::size_t capacity, std::chrono::milliseconds patience,
                         std::size_t& count) {
  count = 0;
  for (;;) {
    switch (signals::wait(fd_, POLLIN, patience)) {
      case signals::Woken::interrupted:
        return Event::interrupted;
      case signals::Woken::timeout:
        return Event::paused;
      case signals::Woken::ready:
        break;
    }
    const ssize_t got = ::read(fd_, to, capacity);
    if (got > 0) {
      count = static_cast<std::size_t>(got);
      read_ += count;
      return Event::data;
    }
    if (got == 0) return Event::end;
    if (errno == EINTR || errno == EAGAIN) continue;
    error_ = name_ + ": " + std::strerror(errno);
    return Event::failed;
  }
}

std::optional<double> Input::part_done(std::size_t held) const {
  return size_ == 0 ? std::nullopt : part_of(read_ - held, size_);
}

bool Input::is_terminal() const { return ::isatty(fd_) == 1; }

} // namespace swapmq::host
