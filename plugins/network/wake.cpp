// SPDX-License-Identifier: MIT
#include "wake.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdint>

namespace swapmq::network {

Wake::Wake() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (fd_ < 0) {
    throw backend::Failure(SWAPMQ_RESOURCE_EXHAUSTED,
                           "no descriptor is left for an eventfd: raise the limit (ulimit -n)",
                           SWAPMQ_ERROR_RETRYABLE);
  }
}

Wake::~Wake() { close(fd_); }

void Wake::raise() noexcept {
  if (raised_.exchange(true)) return;
  const uint64_t one = 1;
  // It cannot fail: the counter is 0 or 1, far from its bound.
  [[maybe_unused]] const ssize_t written = write(fd_, &one, sizeof one);
}

bool Wake::lower() noexcept {
  // First the flag: a raise() in between then finds it down, and at worst its signal is swallowed
  // below, but not its flag, which is looked at before each wait.
  const bool was = raised_.exchange(false);
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t got = read(fd_, &count, sizeof count);
  return was;
}

} // namespace swapmq::network
