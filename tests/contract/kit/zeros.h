// SPDX-License-Identifier: MIT
//
// Memory that reads as zeros and takes no room, for sizes beyond a limit.
#pragma once

#include <sys/mman.h>

#include <cstdint>
#include <string>

#include "breach.h"
#include "swapmq/backend.h"

namespace swapmq::contract {

class Zeros {
 public:
  /// The largest that can be had: what is declared to be beyond it cannot be exceeded here.
  static constexpr std::uint64_t kMost = std::uint64_t{1} << 44;

  explicit Zeros(std::uint64_t size) : size_(size) {
    constexpr int kFlags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    data_ = mmap(nullptr, size, PROT_READ, kFlags, -1, 0);
    if (data_ == MAP_FAILED) throw Breach("cannot map " + std::to_string(size) + " bytes");
  }
  Zeros(const Zeros&) = delete;
  Zeros& operator=(const Zeros&) = delete;
  ~Zeros() { munmap(data_, size_); }

  [[nodiscard]] swapmq_bytes bytes() const { return {data_, size_}; }

 private:
  void* data_ = nullptr;
  std::uint64_t size_;
};

} // namespace swapmq::contract
