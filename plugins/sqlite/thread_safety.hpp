// SPDX-License-Identifier: MIT
//
// A mutex that clang's thread-safety analysis understands; plain std::mutex elsewhere.
#pragma once

#include <mutex>

#if defined(__clang__)
#define SWAPMQ_SQLITE_ANNOTATE(x) __attribute__((x))
#else
#define SWAPMQ_SQLITE_ANNOTATE(x)
#endif

#define SWAPMQ_SQLITE_GUARDED_BY(x) SWAPMQ_SQLITE_ANNOTATE(guarded_by(x))

namespace swapmq::sqlite {

class SWAPMQ_SQLITE_ANNOTATE(capability("mutex")) Mutex {
 public:
  void lock() SWAPMQ_SQLITE_ANNOTATE(acquire_capability()) { mutex_.lock(); }
  void unlock() SWAPMQ_SQLITE_ANNOTATE(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class SWAPMQ_SQLITE_ANNOTATE(scoped_lockable) Lock {
 public:
  explicit Lock(Mutex& mutex) SWAPMQ_SQLITE_ANNOTATE(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  ~Lock() SWAPMQ_SQLITE_ANNOTATE(release_capability()) { mutex_.unlock(); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  Mutex& mutex_;
};

} // namespace swapmq::sqlite
