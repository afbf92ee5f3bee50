// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

#include "contender.h"

namespace bench {

/// Milliseconds since 1970.
std::int64_t unix_ms();

/// UUIDv7 as cheaply as they can be had: a generator without a lock, digits from a table.
class IdGenerator {
 public:
  IdGenerator();
  void make(Id& id, std::int64_t now_ms);

 private:
  std::uint64_t next();

  std::array<std::uint64_t, 4> state_{};
};

} // namespace bench
