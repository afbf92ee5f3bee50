// SPDX-License-Identifier: MIT
//
// Two locks at once, without a deadlock.
#pragma once

#include <functional>

#include "swapmq/backend_locks.hpp"

namespace swapmq::memory {

/// Two different mutexes at once, always in the order of their addresses, so that two calls that
/// name them the other way round cannot wait for each other.
class SWAPMQ_SCOPED_CAPABILITY MutexPairLock {
 public:
  MutexPairLock(backend::Mutex& one, backend::Mutex& other) SWAPMQ_ACQUIRE(one, other)
      : first_(std::less<>{}(&one, &other) ? one : other),
        second_(std::less<>{}(&one, &other) ? other : one) {
    first_.lock();
    second_.lock();
  }
  ~MutexPairLock() SWAPMQ_RELEASE() {
    second_.unlock();
    first_.unlock();
  }
  MutexPairLock(const MutexPairLock&) = delete;
  MutexPairLock& operator=(const MutexPairLock&) = delete;

 private:
  backend::Mutex& first_;
  backend::Mutex& second_;
};

} // namespace swapmq::memory
