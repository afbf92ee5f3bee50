// SPDX-License-Identifier: MIT
//
// Reading a config, or a file that it names.
#include "config/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace swapmq::config {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int number() const { return number_; }

 private:
  int number_;
};

std::string system_text(int error) { return std::generic_category().message(error); }

std::string kind_trouble(mode_t mode) {
  if (S_ISREG(mode)) return {};
  if (S_ISDIR(mode)) return "is a directory; name a file";
  if (S_ISFIFO(mode)) return "is a pipe; it must be a regular file";
  return "is a device or a socket; it must be a regular file";
}

/// Appends all of it to `text`; the trouble, if any.
std::string read_all(int descriptor, std::size_t most_bytes, std::string& text) {
  std::array<char, 16384> buffer{};
  for (;;) {
    const ssize_t got = ::read(descriptor, buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return "cannot be read: " + system_text(errno);
    if (got == 0) return {};
    text.append(buffer.data(), static_cast<std::size_t>(got));
    if (text.size() > most_bytes) return {};
  }
}

} // namespace

std::string read_file(const std::string& path, std::size_t most_bytes, std::string& text) {
  if (path.empty()) return "no file is named";
  if (path.find('\0') != std::string::npos) return "a file name cannot hold a NUL";
  struct stat status {};
  // Before opening, since opening alone can have effects on a device.
  if (::stat(path.c_str(), &status) != 0) return "cannot be found: " + system_text(errno);
  if (std::string trouble = kind_trouble(status.st_mode); !trouble.empty()) return trouble;
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.number() < 0) return "cannot be opened: " + system_text(errno);
  // Again: what was opened may be another file.
  if (::fstat(file.number(), &status) != 0) return "cannot be read: " + system_text(errno);
  if (std::string trouble = kind_trouble(status.st_mode); !trouble.empty()) return trouble;
  return read_all(file.number(), most_bytes, text);
}

} // namespace swapmq::config
