// SPDX-License-Identifier: MIT
//
// Deliveries, with the memory that they are in.
#pragma once

#include <memory>
#include <vector>

#include "network/arena.hpp"
#include "swapmq/backend.hpp"

namespace swapmq::redis {

class RedisBatch final : public backend::Batch {
 public:
  void keep(const std::shared_ptr<network::Arena>& arena) {
    if (arenas_.empty() || arenas_.back() != arena) arenas_.push_back(arena);
  }

 private:
  std::vector<std::shared_ptr<network::Arena>> arenas_;
};

} // namespace swapmq::redis
