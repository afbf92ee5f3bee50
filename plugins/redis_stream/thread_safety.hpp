// SPDX-License-Identifier: MIT
//
// A mutex that clang's thread-safety analysis understands; plain std::mutex elsewhere.
#pragma once

#include <mutex>

#if defined(__clang__)
#define SWAPMQ_REDIS_ANNOTATE(x) __attribute__((x))
#else
#define SWAPMQ_REDIS_ANNOTATE(x)
#endif

#define SWAPMQ_REDIS_GUARDED_BY(x) SWAPMQ_REDIS_ANNOTATE(guarded_by(x))

namespace swapmq::redis {

class SWAPMQ_REDIS_ANNOTATE(capability("mutex")) Mutex {
 public:
  void lock() SWAPMQ_REDIS_ANNOTATE(acquire_capability()) { mutex_.lock(); }
  void unlock() SWAPMQ_REDIS_ANNOTATE(release_capability()) { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class SWAPMQ_REDIS_ANNOTATE(scoped_lockable) Lock {
 public:
  explicit Lock(Mutex& mutex) SWAPMQ_REDIS_ANNOTATE(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.lock();
  }
  ~Lock() SWAPMQ_REDIS_ANNOTATE(release_capability()) { mutex_.unlock(); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  Mutex& mutex_;
};

} // namespace swapmq::redis
