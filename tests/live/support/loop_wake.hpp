// SPDX-License-Identifier: MIT
//
// What ends the poll() of another thread.
#pragma once

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

#include "descriptor.hpp"

namespace swapmq::live {

class LoopWake {
 public:
  LoopWake() : event_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

  [[nodiscard]] int fd() const { return event_.get(); }
  void raise() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t full_is_awake_too = ::write(fd(), &one, sizeof one);
  }
  void lower() const {
    std::uint64_t ignored = 0;
    [[maybe_unused]] const ssize_t length = ::read(fd(), &ignored, sizeof ignored);
  }

 private:
  Descriptor event_;
};

} // namespace swapmq::live
