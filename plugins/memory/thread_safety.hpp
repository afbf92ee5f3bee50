// SPDX-License-Identifier: MIT
//
// A mutex, a lock and a condition that clang's thread-safety analysis understands. Other compilers
// see plain standard types.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>

#if defined(__clang__)
#define MEMORY_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define MEMORY_THREAD_ATTRIBUTE(x)
#endif

#define MEMORY_CAPABILITY(x) MEMORY_THREAD_ATTRIBUTE(capability(x))
#define MEMORY_SCOPED_CAPABILITY MEMORY_THREAD_ATTRIBUTE(scoped_lockable)
#define MEMORY_GUARDED_BY(x) MEMORY_THREAD_ATTRIBUTE(guarded_by(x))
#define MEMORY_REQUIRES(...) MEMORY_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define MEMORY_ACQUIRE(...) MEMORY_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define MEMORY_RELEASE(...) MEMORY_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define MEMORY_EXCLUDES(...) MEMORY_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))

namespace swapmq::memory {

class MEMORY_CAPABILITY("mutex") Mutex {
 public:
  void lock() MEMORY_ACQUIRE() { mutex_.lock(); }
  void unlock() MEMORY_RELEASE() { mutex_.unlock(); }

 private:
  friend class Condition;
  std::mutex mutex_;
};

class MEMORY_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) MEMORY_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() MEMORY_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

/// Two different mutexes at once, always in the order of their addresses, so that two calls that
/// name them the other way round cannot wait for each other.
class MEMORY_SCOPED_CAPABILITY MutexPairLock {
 public:
  MutexPairLock(Mutex& one, Mutex& other) MEMORY_ACQUIRE(one, other)
      : first_(std::less<>{}(&one, &other) ? one : other),
        second_(std::less<>{}(&one, &other) ? other : one) {
    first_.lock();
    second_.lock();
  }
  ~MutexPairLock() MEMORY_RELEASE() {
    second_.unlock();
    first_.unlock();
  }
  MutexPairLock(const MutexPairLock&) = delete;
  MutexPairLock& operator=(const MutexPairLock&) = delete;

 private:
  Mutex& first_;
  Mutex& second_;
};

class Condition {
 public:
  void notify() { condition_.notify_one(); }

  /// Returns false when `until` came first; may return early for no reason.
  bool wait_until(Mutex& mutex, std::chrono::steady_clock::time_point until)
      MEMORY_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const bool in_time = condition_.wait_until(lock, until) == std::cv_status::no_timeout;
    lock.release(); // the caller goes on holding it
    return in_time;
  }

 private:
  std::condition_variable condition_;
};

} // namespace swapmq::memory
