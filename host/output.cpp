// SPDX-License-Identifier: MIT
#include "output.h"

#include <limits.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <string>

#include "signals.h"

namespace swapmq::host {

namespace {

/// How long a reader that was slow may go on taking what is in flight after an interruption.
constexpr std::chrono::milliseconds grace_ms{2'000};

} // namespace

Output::Output(int fd) : fd_(fd) {
  struct stat about {};
  is_file_ = ::fstat(fd, &about) == 0 && S_ISREG(about.st_mode);
}

Output::End Output::end_of_error(int error) {
  error_ = error;
  return error == EPIPE || error == ECONNRESET ? End::reader_gone : End::failed;
}

Output::End Output::write(std::string_view bytes, std::size_t& taken) {
  taken = 0;
  while (taken < bytes.size()) {
    std::size_t piece = bytes.size() - taken;
    if (!is_file_) {
      // A writable pipe takes PIPE_BUF without blocking, so that an interruption gets through.
      piece = std::min<std::size_t>(piece, PIPE_BUF);
      if (signals::wait(fd_, POLLOUT) == signals::Woken::interrupted) {
        pollfd watched{fd_, POLLOUT, 0};
        if (::poll(&watched, 1, static_cast<int>(grace_ms.count())) <= 0) return End::interrupted;
      }
    }
    const ssize_t written = ::write(fd_, bytes.data() + taken, piece);
    if (written >= 0) {
      taken += static_cast<std::size_t>(written);
    } else if (errno != EINTR && errno != EAGAIN) {
      return end_of_error(errno);
    }
  }
  return End::written;
}

Output::End Output::sync() {
  if (!is_file_) return End::written;
  return ::fdatasync(fd_) == 0 ? End::written : end_of_error(errno);
}

bool Output::reader_gone() const {
  pollfd watched{fd_, 0, 0};
  return ::poll(&watched, 1, 0) > 0 && (watched.revents & (POLLERR | POLLNVAL)) != 0;
}

void Output::take_back(std::size_t bytes) {
  struct stat about {};
  if (!is_file_ || bytes == 0 || ::fstat(fd_, &about) != 0) return;
  const off_t at = ::lseek(fd_, 0, SEEK_CUR);
  const auto back = static_cast<off_t>(bytes);
  if (at != about.st_size || at < back) return;
  if (::ftruncate(fd_, at - back) == 0) ::lseek(fd_, at - back, SEEK_SET);
}

const char* Output::error() const { return std::strerror(error_); }

bool print_out(std::string_view text) {
  Output out(STDOUT_FILENO);
  std::size_t taken = 0;
  if (out.write(text, taken) == Output::End::written) return true;
  print_err(std::string("swapmq: standard output: ") + out.error() + "\n");
  return false;
}

void print_err(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return; // nowhere left to say it
    text.remove_prefix(static_cast<std::size_t>(written));
  }
}

bool stderr_is_terminal() { return ::isatty(STDERR_FILENO) == 1; }

} // namespace swapmq::host
