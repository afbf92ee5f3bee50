// SPDX-License-Identifier: MIT
//
// Deliveries, with the memory that they are in.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "swapmq/backend.hpp"

namespace swapmq::rabbitmq {

class RabbitBatch final : public backend::Batch {
 public:
  void keep(std::shared_ptr<const void> memory) {
    if (memory == nullptr || (!kept_.empty() && kept_.back() == memory)) return;
    kept_.push_back(std::move(memory));
  }

 private:
  std::vector<std::shared_ptr<const void>> kept_;
};

} // namespace swapmq::rabbitmq
