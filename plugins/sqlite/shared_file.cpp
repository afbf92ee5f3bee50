// SPDX-License-Identifier: MIT
#include "shared_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <random>
#include <system_error>
#include <thread>
#include <utility>

namespace swapmq::sqlite {
namespace {

using backend::Failure;
using Clock = backend::Deadline::Clock;

[[noreturn]] void refuse(const std::string& path, const std::string& what, int error) {
  swapmq_status status = SWAPMQ_UNAVAILABLE;
  if (error == EACCES || error == EPERM || error == EROFS) status = SWAPMQ_ACCESS_DENIED;
  if (error == ENOTDIR || error == ENAMETOOLONG || error == ELOOP) status = SWAPMQ_INVALID_ARGUMENT;
  if (error == ENOSPC || error == EDQUOT) status = SWAPMQ_RESOURCE_EXHAUSTED;
  throw Failure(status, path + ": " + what + ": " + std::generic_category().message(error));
}

/// A name is durable once the folder that holds it is synced.
void sync_folder(const std::filesystem::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) refuse(folder.string(), "the folder cannot be opened to be synced", errno);
  const int result = fsync(fd);
  const int error = errno;
  ::close(fd);
  // Some file systems cannot sync a folder and say so; there is no more to be had from them.
  if (result != 0 && error != EINVAL && error != EROFS) {
    refuse(folder.string(), "the folder cannot be synced", error);
  }
}

void make_folders(const std::filesystem::path& folder) {
  if (folder.empty() || folder == folder.root_path()) return;
  struct stat status {};
  if (stat(folder.c_str(), &status) == 0) {
    if (!S_ISDIR(status.st_mode)) refuse(folder.string(), "not a folder", ENOTDIR);
    return;
  }
  if (errno != ENOENT) refuse(folder.string(), "the folder cannot be looked at", errno);
  make_folders(folder.parent_path());
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    refuse(folder.string(), "the folder cannot be made", errno);
  }
  sync_folder(folder.parent_path());
}

/// Only ever opens a file that it makes itself: closing a descriptor of a database that this
/// process has open elsewhere would drop SQLite's POSIX locks on it.
void make_file(const std::string& path) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  make_folders(folder);
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0) {
    ::close(fd);
    sync_folder(folder);
  } else if (errno != EEXIST && errno != EISDIR) {
    refuse(path, "the database file cannot be made", errno);
  }
}

struct Registry {
  backend::Mutex mutex;
  std::map<std::pair<dev_t, ino_t>, std::weak_ptr<SharedFile>> files SWAPMQ_GUARDED_BY(mutex);
};

Registry& registry() {
  static Registry instance;
  return instance;
}

} // namespace

bool WriteGate::enter(TimePoint until) {
  const backend::Lock lock(mutex_);
  if (!busy_) {
    busy_ = true;
    return true;
  }
  Ticket ticket;
  waiting_.push_back(&ticket);
  while (!ticket.granted) {
    if (ticket.wake.wait_until(mutex_, until) == std::cv_status::timeout && !ticket.granted) {
      waiting_.remove(&ticket);
      return false;
    }
  }
  return true;
}

void WriteGate::leave() {
  const backend::Lock lock(mutex_);
  if (waiting_.empty()) {
    busy_ = false;
    return;
  }
  // Handed over while busy_ stays set, so that nobody overtakes the one who waited longest.
  Ticket* next = waiting_.front();
  waiting_.pop_front();
  next->granted = true;
  next->wake.notify_one();
}

std::shared_ptr<SharedFile> SharedFile::open(const std::string& path) {
  Registry& files = registry();
  const backend::Lock lock(files.mutex);
  make_file(path);
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    refuse(path, "the database file cannot be looked at", errno);
  }
  if (!S_ISREG(status.st_mode)) {
    throw Failure(SWAPMQ_INVALID_ARGUMENT,
                  path + ": is not a regular file; \"path\" must name a database file, such as " +
                      (std::filesystem::path(path) / "queues.db").string());
  }
  if (access(path.c_str(), R_OK | W_OK) != 0) {
    refuse(path, "the database file must be readable and writable", errno);
  }
  std::weak_ptr<SharedFile>& known = files.files[{status.st_dev, status.st_ino}];
  std::shared_ptr<SharedFile> file = known.lock();
  if (file == nullptr) {
    // The one name behind all symbolic links, so that every process finds the same files beside it.
    std::error_code error;
    const std::string name = std::filesystem::canonical(path, error).string();
    if (error) refuse(path, "the database file cannot be resolved", error.value());
    file = std::make_shared<SharedFile>(name, status.st_dev, status.st_ino);
    known = file;
  }
  std::erase_if(files.files, [](const auto& entry) { return entry.second.expired(); });
  return file;
}

SharedFile::SharedFile(std::string path, dev_t device, ino_t inode)
    : path_(std::move(path)), device_(device), inode_(inode), peers_(path_ + "-peers") {
  std::random_device random;
  std::uniform_int_distribution<int64_t> numbers(1, Peers::kLastOwner);
  // A second try is for a number that is taken, not for file systems that know no such locks.
  for (int attempt = 0; attempt < 3 && !shows_life_; ++attempt) {
    owner_ = numbers(random);
    shows_life_ = peers_.hold_owner(owner_);
  }
}

void SharedFile::check_in_place() const {
  struct stat status {};
  if (stat(path_.c_str(), &status) == 0 && status.st_dev == device_ && status.st_ino == inode_) {
    return;
  }
  throw Failure(SWAPMQ_UNAVAILABLE,
                path_ +
                    ": the database file was moved, deleted or replaced while in use; put it "
                    "back, or open the backend again",
                SWAPMQ_ERROR_SESSION_DEAD | SWAPMQ_ERROR_RETRYABLE);
}

void SharedFile::mark_damaged(const std::string& text) {
  const backend::Lock lock(mutex_);
  if (damaged_.load()) return;
  damage_ = text;
  damaged_.store(true);
}

void SharedFile::check_undamaged() const {
  if (!damaged_.load(std::memory_order_acquire)) return;
  const backend::Lock lock(mutex_);
  throw Failure(SWAPMQ_CORRUPT, damage_);
}

void SharedFile::add_orphan(int64_t consumer) {
  const backend::Lock lock(mutex_);
  orphans_.push_back(consumer);
}

std::vector<int64_t> SharedFile::orphans() const {
  const backend::Lock lock(mutex_);
  return orphans_;
}

void SharedFile::forget_orphans(const std::vector<int64_t>& returned) {
  const backend::Lock lock(mutex_);
  std::erase_if(orphans_, [&](int64_t consumer) {
    return std::find(returned.begin(), returned.end(), consumer) != returned.end();
  });
}

void SharedFile::give_way() {
  // About what another process takes to wake up and begin.
  constexpr std::chrono::microseconds kMoment(150);
  if (owes_way_.exchange(false)) std::this_thread::sleep_for(kMoment);
}

bool SharedFile::take_watch() {
  using std::chrono::nanoseconds;
  const int64_t now =
      std::chrono::duration_cast<nanoseconds>(Clock::now().time_since_epoch()).count();
  int64_t next = next_watch_ns_.load();
  return now >= next && next_watch_ns_.compare_exchange_strong(next, now + 500'000'000);
}

} // namespace swapmq::sqlite
