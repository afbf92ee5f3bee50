// SPDX-License-Identifier: MIT
//
// Locks that clang's thread-safety analysis understands (-Wthread-safety), for backends that share
// something among their sessions' threads; with other compilers the attributes are nothing.
// https://clang.llvm.org/docs/ThreadSafetyAnalysis.html
//
//   class Names {
//     swapmq::backend::Mutex mutex_;
//     std::vector<std::string> names_ SWAPMQ_GUARDED_BY(mutex_);
//   };
#ifndef SWAPMQ_BACKEND_LOCKS_HPP
#define SWAPMQ_BACKEND_LOCKS_HPP

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define SWAPMQ_ATTRIBUTE(x) __attribute__((x))
#else
#define SWAPMQ_ATTRIBUTE(x)
#endif
#define SWAPMQ_CAPABILITY(x) SWAPMQ_ATTRIBUTE(capability(x))
#define SWAPMQ_SCOPED_CAPABILITY SWAPMQ_ATTRIBUTE(scoped_lockable)
#define SWAPMQ_GUARDED_BY(x) SWAPMQ_ATTRIBUTE(guarded_by(x))
#define SWAPMQ_REQUIRES(...) SWAPMQ_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define SWAPMQ_EXCLUDES(...) SWAPMQ_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define SWAPMQ_ACQUIRE(...) SWAPMQ_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define SWAPMQ_TRY_ACQUIRE(...) SWAPMQ_ATTRIBUTE(try_acquire_capability(__VA_ARGS__))
#define SWAPMQ_RELEASE(...) SWAPMQ_ATTRIBUTE(release_capability(__VA_ARGS__))
#define SWAPMQ_NO_ANALYSIS SWAPMQ_ATTRIBUTE(no_thread_safety_analysis)

namespace swapmq::backend {

class SWAPMQ_CAPABILITY("mutex") Mutex {
 public:
  void lock() SWAPMQ_ACQUIRE() { mutex_.lock(); }
  bool try_lock() SWAPMQ_TRY_ACQUIRE(true) { return mutex_.try_lock(); }
  void unlock() SWAPMQ_RELEASE() { mutex_.unlock(); }

 private:
  friend class Condition;
  std::mutex mutex_;
};

class SWAPMQ_SCOPED_CAPABILITY Lock {
 public:
  explicit Lock(Mutex& mutex) SWAPMQ_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~Lock() SWAPMQ_RELEASE() { mutex_.unlock(); }
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;

 private:
  Mutex& mutex_;
};

/// A condition variable whose waits all end: none without a deadline. Callers loop on their
/// predicate.
class Condition {
 public:
  /// false: the deadline passed.
  bool wait_until(Mutex& mutex, std::chrono::steady_clock::time_point deadline)
      SWAPMQ_REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const bool woken = condition_.wait_until(lock, deadline) == std::cv_status::no_timeout;
    lock.release(); // the caller goes on holding it
    return woken;
  }
  void notify_one() { condition_.notify_one(); }
  void notify_all() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

} // namespace swapmq::backend

#endif
