// SPDX-License-Identifier: MIT
//
// Loaded before the C library, it makes a disk that takes its time to sync: what a server has done
// in the background, not what it does when it starts.
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

extern "C" __attribute__((visibility("default"))) int fdatasync(int file) {
  timespec rest{60, 0}; // longer than a test
  while (gettid() != getpid() && nanosleep(&rest, &rest) != 0) {
  }
  return static_cast<int>(syscall(SYS_fdatasync, file));
}
