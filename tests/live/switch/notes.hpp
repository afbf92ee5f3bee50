// SPDX-License-Identifier: MIT
//
// What a program that may be killed at any moment says of its messages.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <string_view>

namespace switch_test {

/// Lines that are in the file once noted, whatever becomes of the process. Any thread.
class Notes {
 public:
  explicit Notes(const char* path)
      : file_(::open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {}
  ~Notes() { ::close(file_); }
  Notes(const Notes&) = delete;
  Notes& operator=(const Notes&) = delete;
  void note(const char* what, std::string_view id) const {
    const std::string line = std::string(what) + " " + std::string(id) + "\n";
    if (::write(file_, line.data(), line.size()) < 0) std::abort();
  }

 private:
  const int file_;
};

} // namespace switch_test
