// SPDX-License-Identifier: MIT
//
// Names to addresses, with a deadline, which getaddrinfo() does not know.
#pragma once

#include <netdb.h>

#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "swapmq/backend.hpp"
#include "swapmq/backend_locks.hpp"

namespace swapmq::network {

struct FreeAddresses {
  void operator()(addrinfo* list) const { freeaddrinfo(list); }
};
using Addresses = std::unique_ptr<addrinfo, FreeAddresses>;

/// Any thread. A lookup that outlasts its deadline goes on, on a thread that this object owns and
/// awaits in its destructor: the system's resolver gives up by itself (resolv.conf(5)).
class Resolver {
 public:
  /// Throws Failure: UNAVAILABLE if there is no such name, TIMEOUT.
  Addresses resolve(const std::string& host, uint16_t port, backend::Deadline deadline);

 private:
  struct Answer {
    int error = 0;
    Addresses addresses;
  };
  static Answer look_up(const std::string& host, uint16_t port, int flags);

  backend::Mutex mutex_;
  std::vector<std::future<Answer>> late_ SWAPMQ_GUARDED_BY(mutex_);
};

} // namespace swapmq::network
