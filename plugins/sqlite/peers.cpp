// SPDX-License-Identifier: MIT
#include "peers.hpp"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <ctime>
#include <fstream>
#include <functional>
#include <system_error>

namespace swapmq::sqlite {
namespace {

using backend::Failure;
using Clock = backend::Deadline::Clock;

// The file: 1024 words. Two serve the writers, the rest are the queues' slots.
constexpr std::size_t kBytes = 4096;
constexpr uint32_t kWriterWord = 0;
constexpr uint32_t kWriterWanted = 1;
constexpr uint32_t kFirstSlot = 16;
constexpr uint32_t kSlots = kBytes / sizeof(uint32_t) - kFirstSlot;
// Signs of life are locks on single bytes far beyond the end of the file.
constexpr off_t kFirstOwner = off_t{1} << 40; // room for Peers::kLastOwner after it

long futex(uint32_t* word, int operation, uint32_t value, const timespec* timeout) {
  return syscall(SYS_futex, word, operation, value, timeout, nullptr, 0);
}

void futex_wait(uint32_t* word, uint32_t seen, std::chrono::nanoseconds most) {
  if (most.count() <= 0) return;
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(most);
  timespec timeout{};
  timeout.tv_sec = static_cast<time_t>(whole.count());
  timeout.tv_nsec = static_cast<long>((most - whole).count());
  // Woken, timed out, interrupted or changed before: the caller looks again in each case.
  futex(word, FUTEX_WAIT, seen, &timeout);
}

std::string reason(int error) { return std::generic_category().message(error); }

struct flock owner_lock(int64_t owner, short type) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = kFirstOwner + static_cast<off_t>(owner);
  lock.l_len = 1;
  return lock;
}

} // namespace

Peers::Peers(const std::string& path) {
  fd_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd_ < 0) {
    const int error = errno;
    throw Failure(error == EACCES || error == EPERM || error == EROFS ? SWAPMQ_ACCESS_DENIED
                                                                      : SWAPMQ_UNAVAILABLE,
                  path + ": cannot be opened: " + reason(error) +
                      "; the folder of the database must be writable");
  }
  struct stat status {};
  // Allocated, not only sized: a store into a page that the disk has no room for is a SIGBUS.
  int error = posix_fallocate(fd_, 0, static_cast<off_t>(kBytes));
  if (error == 0 && fstat(fd_, &status) != 0) error = errno;
  void* mapped = MAP_FAILED;
  if (error == 0) {
    mapped = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    if (mapped == MAP_FAILED) error = errno;
  }
  if (error != 0) {
    ::close(fd_);
    throw Failure(
        error == ENOSPC || error == EDQUOT ? SWAPMQ_RESOURCE_EXHAUSTED : SWAPMQ_UNAVAILABLE,
        path + ": cannot be mapped: " + reason(error), SWAPMQ_ERROR_RETRYABLE);
  }
  words_ = static_cast<uint32_t*>(mapped);
  identity_ = static_cast<int64_t>(status.st_ino);
}

Peers::~Peers() {
  munmap(words_, kBytes);
  ::close(fd_);
}

uint32_t* Peers::word(uint32_t index) const { return words_ + index; }

uint32_t Peers::slot_of(std::string_view queue_name) {
  // FNV-1a: every process must come to the same slot, so std::hash will not do.
  uint32_t hash = 2166136261u;
  for (const char c : queue_name) {
    hash = (hash ^ static_cast<unsigned char>(c)) * 16777619u;
  }
  return kFirstSlot + hash % kSlots;
}

uint32_t Peers::look(uint32_t slot) const { return std::atomic_ref(*word(slot)).load(); }

void Peers::wake(uint32_t slot) const {
  std::atomic_ref(*word(slot)).fetch_add(1);
  futex(word(slot), FUTEX_WAKE, INT_MAX, nullptr);
}

void Peers::wait(uint32_t slot, uint32_t seen, Clock::time_point until) const {
  futex_wait(word(slot), seen, until - Clock::now());
}

bool Peers::writer_left() const {
  if (std::atomic_ref(*word(kWriterWanted)).exchange(0) == 0) return false;
  std::atomic_ref(*word(kWriterWord)).fetch_add(1);
  futex(word(kWriterWord), FUTEX_WAKE, 1, nullptr);
  return true;
}

void Peers::wait_for_writer(std::chrono::microseconds most) const {
  const uint32_t seen = std::atomic_ref(*word(kWriterWord)).load();
  std::atomic_ref(*word(kWriterWanted)).store(1);
  futex_wait(word(kWriterWord), seen, most);
}

bool Peers::hold_owner(int64_t owner) const {
  struct flock lock = owner_lock(owner, F_WRLCK);
  return fcntl(fd_, F_OFD_SETLK, &lock) == 0;
}

bool Peers::owner_lives(int64_t owner) const {
  struct flock lock = owner_lock(owner, F_WRLCK);
  // Where it cannot be asked, the owner counts as alive: its lease decides then.
  return fcntl(fd_, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

const std::string& boot_id() {
  static const std::string id = [] {
    std::ifstream file("/proc/sys/kernel/random/boot_id");
    std::string line;
    std::getline(file, line);
    return line;
  }();
  return id;
}

int64_t boot_now_ms() {
  timespec now{};
  clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

} // namespace swapmq::sqlite
